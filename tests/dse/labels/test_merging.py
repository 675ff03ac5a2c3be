"""Merged labels, beside what they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.labels.merging import merge_labels


@st.composite
def many(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Labels, where each state's begin, and room."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    times, largest = draw(st.integers(1, 4)), draw(st.sampled_from([3, 1_000, 1 << 45]))
    sizes = draw(st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any))
    labels = rng.integers(0, largest, (sum(sizes), times + 1), endpoint=True)
    return labels, np.cumsum([0, *sizes]), draw(st.integers(1, sum(sizes)))


@settings(max_examples=200)
@given(many())
def test_what_stands_for_a_label_is_in_its_state_no_later_and_costs_no_more(
    given_labels: tuple[np.ndarray, np.ndarray, int],
) -> None:
    labels, offsets, room = given_labels
    bounds = labels.sum(axis=1)
    least, begins, named, of = merge_labels(labels, offsets, bounds, room)
    states = np.count_nonzero(np.diff(offsets))
    assert states <= len(least) <= max(room, states)
    assert len(begins) == len(offsets)
    assert (begins[-1], len(named)) == (len(least), len(least))
    assert (least[of] <= labels).all()
    of_state = np.searchsorted(begins, of, side="right"), np.searchsorted(offsets, np.arange(len(labels)), side="right")
    assert (of_state[0] == of_state[1]).all()
    # the named one is in the cell, so that nothing of it is less than what stands for it
    assert (least <= labels[named]).all()


@pytest.mark.parametrize("room", [4, 5, 100])
def test_labels_that_have_room_stay_but_for_what_others_beat(room: int) -> None:
    labels = np.array([[1, 9, 5], [2, 8, 5], [40, 7, 5], [80, 90, 90]])
    least, begins, named, of = merge_labels(labels, np.array([0, 3, 4]), labels[:, -1], room)
    assert least[begins[1] :].tolist() == [[80, 90, 90]]
    assert sorted(least[: begins[1]].tolist()) == labels[:3].tolist()
    assert labels[named].tolist() == least.tolist()
    assert (least[of] == labels).all()
