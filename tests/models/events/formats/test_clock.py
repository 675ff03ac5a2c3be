"""A clock that begins anew is counted on, and marks are numbered."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.events.formats.clock import latest, unwrapped


def test_a_clock_begins_anew() -> None:
    assert unwrapped(np.array([5, 50, 90, 3, 2, 99, 1]), 100).tolist() == [5, 50, 90, 103, 102, 99, 101]
    assert unwrapped(np.array([], np.int64), 100).tolist() == []
    assert unwrapped(np.array([60, 9], np.uint8), 100).dtype == np.int64


@settings(max_examples=40)
@given(st.integers(1, 1 << 33), st.integers(0, 1 << 40), st.lists(st.floats(-1, 1), max_size=30))
def test_steps_below_half_a_period_are_found_again(half: int, start: int, shares: list[float]) -> None:
    period = 2 * half
    most = (period - 1) // 2
    times = list(itertools.accumulate((round(share * most) for share in shares), initial=start))
    late = start - start % period
    assert unwrapped(np.array([time % period for time in times]), period).tolist() == [time - late for time in times]


@settings(max_examples=40)
@given(st.lists(st.booleans(), max_size=30))
def test_a_place_has_the_number_of_the_last_mark(marks: list[bool]) -> None:
    assert latest(np.array(marks, bool)).tolist() == [sum(marks[: place + 1]) - 1 for place in range(len(marks))]
