"""Words behind lane converters, by hand, and taken several at a time as one by one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.cycle import lane_converters
from cosim.cycle.queues import QueueRecord
from cosim.cycle.records import UNKNOWN
from tests.cosim.cycle.hand_made import Layout
from tests.support.interpreted import interpreted

word_shown, take_word = interpreted(lane_converters.word_shown), interpreted(lane_converters.take_word)
read_words, straight = interpreted(lane_converters.read_words), interpreted(lane_converters.straight)


def words(own: Layout, reader: Any, stall: int = 0) -> list[int]:
    """When words are taken, each ``stall`` cycles after it shows."""
    taken = []
    while (time := word_shown(own.m, own.w, reader)) != UNKNOWN:
        take_word(own.m, own.w, reader, time + stall)
        taken.append(time + stall)
    return taken


@pytest.mark.parametrize(
    ("per_token", "narrow", "widen", "stall", "taken", "moved"),
    [
        (1, 1, 1, 0, [0, 1, 2], [0, 1, 2]),
        (1, 1, 1, 2, [2, 5, 8], [2, 5, 8]),
        # parts of a beat from the cycle after it; the next beat enters with the last part; an end is one part
        (1, 2, 1, 0, [1, 2, 3, 4, 5], [0, 2, 4]),
        # a word from the cycle after its last part; an end alone is one
        (2, 1, 2, 0, [2, 4, 5], [0, 1, 2, 3, 4]),
        # the part that completes a word waits until the word before is taken
        (2, 1, 2, 3, [5, 9, 13], [0, 1, 2, 5, 9]),
        # three lanes to two: halves of two beats to a word of three
        (2, 2, 4, 0, [5, 9, 10], [0, 2, 4, 6, 8]),
    ],
)
def test_words_by_hand(per_token: int, narrow: int, widen: int, stall: int, taken: list[int], moved: list[int]) -> None:
    own = Layout(2)
    stream, reader = own.stream(per_token=per_token)
    reader.parts_per_beat, reader.parts_per_word = narrow, widen
    own.offer(stream, *range(2 * per_token + 1))
    assert words(own, reader, stall) == taken
    assert own.moves(stream) == moved
    assert straight(own.m, reader) == (narrow == widen == 1)


def fields(record: Any) -> dict[str, int]:
    """All fields of a record; when a word showed that is taken does not matter any more."""
    return {name: getattr(record, name) for name in record.fields if name != "word_at"}


@settings(max_examples=30)
@given(
    gaps=st.lists(st.integers(0, 3), min_size=9, max_size=9),
    narrow=st.sampled_from([1, 2]),
    widen=st.sampled_from([1, 2, 4]),
    shown=st.integers(0, 9),
    ready=st.integers(0, 12),
)
def test_words_taken_together_are_those_taken_one_by_one(
    gaps: list[int], narrow: int, widen: int, shown: int, ready: int
) -> None:
    one = Layout(2)
    stream, reader = one.stream(per_token=4)
    reader.parts_per_beat, reader.parts_per_word = narrow, widen
    one.offer(stream, *(sum(gaps[: n + 1]) for n in range(shown)))
    many = copy.deepcopy(one)
    many_stream, many_reader = type(stream)(many.m, stream.at), type(reader)(many.m, reader.at)
    token = 4 * narrow // widen
    for most in (token, token, 1):
        taken = read_words(many.m, many.w, many_reader, most, ready)
        expected = 0
        while expected < most and (time := word_shown(one.m, one.w, reader)) != UNKNOWN:
            take_word(one.m, one.w, reader, max(time, ready) if expected == 0 else time)
            expected += 1
        assert taken == expected
        if taken < most:
            break
    assert one.moves(stream) == many.moves(many_stream)
    assert fields(stream) == fields(many_stream)
    assert fields(reader) == fields(many_reader)


def test_a_queue_beside_a_reader_takes_the_beat_that_holds_it_up() -> None:
    own = Layout(3)
    stream, (reader, other) = own.stream(readers=2)
    out, _ = own.stream()
    queue = own.process(QueueRecord, depth=2, latency=1, source=other.at, sink=out.at)
    other.queue, other.consumer = queue.at, queue.at
    own.offer(stream, 0, 1, 2, 3)
    assert read_words(own.m, own.w, reader, 3, 0) == 3
    # the queue is full with two beats: the third has not moved, and the next does not show
    assert (own.offers(out), own.moves(stream)) == ([1, 2], [0, 1])
    assert (reader.accepted, other.accepted) == (3, 2)
    assert word_shown(own.m, own.w, reader) == UNKNOWN
    own.move(out, 6)
    # the first place is free in cycle 7: then the third beat moves, and the next shows in 8
    assert word_shown(own.m, own.w, reader) == 8
    assert own.moves(stream) == [0, 1, 7]
