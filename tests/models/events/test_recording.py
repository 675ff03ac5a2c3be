"""A recording from arrays that may be wrong: what is named, what is dropped, and what is equal."""

from __future__ import annotations

import numpy as np
import pytest

from models.events import EventError, Recording, recording
from models.events.recording import Policy
from tests.models.events.files import Event, random_recording, rows

HEIGHT, WIDTH = 5, 7


def check(events: list[Event], policy: Policy = "error", kind: type = np.int64, **lost: int) -> Recording:
    t, x, y, p = np.array(events, dtype=kind).reshape(-1, 4).T
    return recording("some file", t, x, y, p, (HEIGHT, WIDTH), policy, **lost)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ((9, 7, 0, 0), "some file: event 2: x is 7; valid is 0 to 6"),
        ((9, 0, 5, 0), "some file: event 2: y is 5; valid is 0 to 4"),
        ((9, 0, 0, 2), "some file: event 2: p is 2; valid is 0 to 1"),
        ((9, -1, 0, 0), "some file: event 2: x is -1; valid is 0 to 6"),
        ((3, 0, 0, 0), "some file: event 2: t is 3 us, earlier than event 1; valid is 4 or later"),
    ],
)
def test_the_first_wrong_event_is_named(wrong: Event, message: str) -> None:
    with pytest.raises(EventError, match=f"^{message}$"):
        check([(1, 0, 0, 0), (4, 6, 4, 1), wrong, (2, 0, 0, 0)])


def test_other_wrong_recordings_are_named() -> None:
    with pytest.raises(EventError, match="some file: holds no event; one or more are valid"):
        check([])
    with pytest.raises(EventError, match="event 1: is cut off where the file ends"):
        check([(1, 0, 0, 0)], truncated=1)
    with pytest.raises(EventError, match="policy: 'ignore' must be one of error, drop"):
        check([(1, 0, 0, 0)], "ignore")  # type: ignore[arg-type]
    zero = np.zeros(1, np.int64)
    for size in ((0, 4), (4, 40_000)):
        with pytest.raises(EventError, match="both sides must be 1 to 32767"):
            recording("f", zero, zero, zero, zero, size)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_dropped_is_counted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    events = [
        (int(t), int(x), int(y), int(p))
        for t, x, y, p in zip(
            np.cumsum(rng.integers(-3, 10, 60)), rng.integers(-1, 8, 60), rng.integers(-1, 6, 60),
            rng.integers(0, 3, 60), strict=True)
    ]  # fmt: skip
    inside = [e for e in events if 0 <= e[1] < WIDTH and 0 <= e[2] < HEIGHT and e[3] in (0, 1)]
    expected: list[Event] = []
    for event in inside:
        if not expected or event[0] >= expected[-1][0]:
            expected.append(event)
    result = check(events, "drop", truncated=2, unplaced=3)
    assert rows(result) == expected
    counts = {"unplaced": 3, "truncated": 2, "out of range": 60 - len(inside), "unsorted": len(inside) - len(expected)}
    assert result.dropped == {why: count for why, count in counts.items() if count}


def test_numbers_too_large_for_the_narrow_arrays_do_not_wrap() -> None:
    wide = [(1, 65536, 0, 0), (2, 0, 65537, 1), (3, 1, 1, 256), (4, 2, 3, 1)]
    for kind in (np.int64, np.uint64):
        assert rows(check(wide, "drop", kind)) == [(4, 2, 3, 1)]
        with pytest.raises(EventError, match="event 0: x is 65536"):
            check(wide, kind=kind)


def test_all_events_wrong_leaves_an_empty_recording() -> None:
    result = check([(1, 9, 9, 9)], "drop")
    assert (len(result), result.duration, result.dropped) == (0, 0, {"out of range": 1})


def test_recordings_are_equal_by_their_events() -> None:
    one = random_recording(0, 20, HEIGHT, WIDTH, 1000)
    assert one == random_recording(0, 20, HEIGHT, WIDTH, 1000)
    assert one != random_recording(1, 20, HEIGHT, WIDTH, 1000)
    assert one != Recording(one.t, one.x, one.y, one.p, HEIGHT, WIDTH + 1)
    assert one.select(slice(3, 9)).select(slice(0, 2)) == one.select(slice(3, 5))
    some = one.select(np.arange(20) % 2 == 0, "odd").select(slice(0, 4), "late")
    assert some.dropped == {"odd": 10, "late": 6}
