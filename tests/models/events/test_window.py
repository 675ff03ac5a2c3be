"""Parts of a recording: by time and by count, against lists of events."""

from __future__ import annotations

import numpy as np
import pytest

from models.events import EventError
from models.events.window import between, by_count, by_time
from tests.models.events.files import random_recording, recording_of, rows


@pytest.mark.parametrize("seed", range(10))
def test_windows_by_time(seed: int) -> None:
    events = random_recording(seed, 80, 5, 7, 1000)
    plain = rows(events)
    rng = np.random.default_rng(seed)
    length, step, start = (int(v) for v in rng.integers(1, 900, 3))
    for begin in (None, start):
        first = plain[0][0] if begin is None else begin
        expected = []
        while first <= plain[-1][0]:
            expected.append([e for e in plain if first <= e[0] < first + length])
            first += step
        assert [rows(part) for part in by_time(events, length, step, begin)] == expected
    assert [e for part in by_time(events, length) for e in rows(part)] == plain
    assert rows(between(events, 500, 400)) == []


@pytest.mark.parametrize("count, step", [(1, None), (7, None), (7, 3), (3, 7), (80, None), (81, None)])
def test_windows_by_count(count: int, step: int | None) -> None:
    events = random_recording(0, 80, 5, 7, 1000)
    plain = rows(events)
    expected = [plain[at : at + count] for at in range(0, 80, step or count) if at + count <= 80]
    assert [rows(part) for part in by_count(events, count, step)] == expected


def test_wrong_windows_are_named() -> None:
    events = random_recording(0, 3, 5, 7, 1000)
    for windows, message in (
        (by_time(events, 0), "length: 0 us must be 1 or more"),
        (by_time(events, 5, -1), "step: -1 us must be 1 or more"),
        (by_count(events, 0), "count: 0 events must be 1 or more"),
        (by_count(events, 5, -1), "step: -1 events must be 1 or more"),
    ):
        with pytest.raises(EventError, match=message):
            list(windows)


def test_between_has_its_start_and_not_its_stop() -> None:
    events = recording_of([(1, 0, 0, 0), (3, 1, 0, 0), (3, 2, 0, 0), (4, 3, 0, 0)], 5, 7)
    assert [x for _, x, _, _ in rows(between(events, 3, 4))] == [1, 2]
    assert [x for _, x, _, _ in rows(between(events, 0, 5))] == [0, 1, 2, 3]
    assert len(between(events, 4, 4)) == 0


def test_no_events_have_no_windows() -> None:
    nothing = recording_of([], 5, 7)
    assert list(by_time(nothing, 10)) == list(by_count(nothing, 1)) == []
