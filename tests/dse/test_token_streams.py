"""Times that depend on each other: worked out by hand, and beside a plain fixed point."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.token_streams import NOTHING, UNKNOWN, After, Consumer, Series, TokenStream, join, solve_times


def numbered(*counts: int) -> list[Series]:
    """Series one after the other, each time of which is at least one cycle after the one before it."""
    bases = np.cumsum([0, *counts])
    series = [Series(int(base), count) for base, count in zip(bases, counts, strict=False)]
    for own in series:
        own.wait(own.previous().later(1))
    return series


def test_a_time_is_the_latest_of_its_bounds() -> None:
    a, b = numbered(3, 3)
    a.wait(a.previous().later(4))
    b.wait(a.all.later(np.array([2, 2, 9])))
    # the first time of b waits for the last of a in no way, its second one does
    b.wait(a.all.at(np.array([2])), np.array([1]))
    assert solve_times([a, b], 6).tolist() == [0, 4, 8, 2, 8, 17]


def test_bounds_at_negative_places_are_none() -> None:
    a, _ = numbered(3, 1)
    assert a.all.later(5).at(np.array([-1, 2])).times.tolist() == [NOTHING, 2]
    assert a.previous().times.tolist() == [NOTHING, 0, 1]


def test_times_that_wait_in_a_circle_stay_unknown() -> None:
    a, b = numbered(2, 2)
    a.wait(b.all.at(np.array([1])), np.array([1]))
    b.wait(a.all.at(np.array([1])), np.array([1]))
    assert solve_times([a, b], 4).tolist() == [0, UNKNOWN, 0, UNKNOWN]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_times_equal_a_plain_fixed_point(counts: list[int], seed: int) -> None:
    """Bounds from any time to any other, circles included; a time is known once all that it waits for are."""
    rng, series = np.random.default_rng(seed), numbered(*counts)
    size = sum(counts)
    for own in series:
        for _ in range(rng.integers(3)):
            own.wait(After(rng.integers(NOTHING, size, own.count), rng.integers(0, 9, own.count)))
    waits = [
        [(int(after.times[at]), int(after.cycles[at])) for after in own.waits if after.times[at] != NOTHING]
        for own in series
        for at in range(own.count)
    ]
    times: list[int | None] = [None] * size
    for _ in range(size):
        for number, bounds in enumerate(waits):
            earlier = [(times[other], cycles) for other, cycles in bounds]
            if all(time is not None for time, _ in earlier):
                times[number] = max((time + cycles for time, cycles in earlier if time is not None), default=0)
    assert solve_times(series, size).tolist() == [UNKNOWN if time is None else time for time in times]


def frame(source: Series, beats: int) -> TokenStream:
    """A stream of tokens of so many beats, offered beat by beat; the last token is an ``end``."""
    ends = np.arange(source.count) == source.count - 1
    return TokenStream(source.all, source.all.later(np.where(ends, 0, beats - 1)), ends, beats)


def test_a_reader_takes_each_beat_once_it_is_offered_and_at_its_own_pace() -> None:
    source, first, last = numbered(3, 3, 3)
    stream = frame(source, 2)
    reader = join(stream, Consumer(first, last, apart=3))
    source.wait(reader.last.previous().later(1))
    stream.close()
    times = solve_times([source, first, last], 9)
    # two beats three cycles apart, twice, then the end
    assert times[3:6].tolist() == [0, 4, 8]
    assert times[6:].tolist() == [3, 7, 8]


def test_readers_of_a_fork_wait_for_each_other() -> None:
    source, *others = numbered(*[3] * 5)
    stream = frame(source, 2)
    fast = join(stream, Consumer(others[0], others[1]))
    slow = join(stream, Consumer(others[2], others[3], apart=5))
    source.wait(slow.last.previous().later(1))
    source.wait(fast.last.previous().later(1))
    stream.close()
    times = solve_times([source, *others], 15).reshape(5, 3)
    # the slow reader takes two beats in six cycles; the fast one waits for it before it takes the next token
    assert times[3].tolist() == [0, 6, 12]
    assert times[4].tolist() == [5, 11, 12]
    assert times[1].tolist() == [0, 6, 12]
    assert times[2].tolist() == [1, 7, 12]


def test_room_is_free_once_a_beat_has_left() -> None:
    """A third series waits for beat 1, the last of the first token, for beat 2 in the second one, and for none."""
    source, first, last, waiting = numbered(3, 3, 3, 3)
    stream = frame(source, 2)
    reader = join(stream, Consumer(first, last, apart=3))
    source.wait(reader.last.previous().later(1))
    stream.wait_for_space(waiting, np.array([NOTHING, 1, 2]), 2)
    stream.close()
    # beats leave at 0, 3, 4, 7 and 8
    assert solve_times([source, first, last, waiting], 12)[9:].tolist() == [0, 3 + 2, 4 + 2]
