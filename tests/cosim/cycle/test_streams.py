"""Streams of the cycle simulator, by hand: when beats show and move, forks, ends of frames, and times at a pace."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.cycle import streams
from cosim.cycle.records import UNKNOWN
from cosim.cycle.streams import ON_TIME
from tests.cosim.cycle.hand_made import Layout
from tests.support.interpreted import interpreted

beat_shown, take_beat = interpreted(streams.beat_shown), interpreted(streams.take_beat)
note, recall, offer = interpreted(streams.note), interpreted(streams.recall), interpreted(streams.offer)


def test_a_beat_shows_when_it_is_offered_and_the_one_before_it_is_gone() -> None:
    own = Layout(2)
    stream, reader = own.stream()
    assert beat_shown(own.m, reader) == UNKNOWN
    own.offer(stream, 0, 1, 7)
    assert beat_shown(own.m, reader) == 0
    take_beat(own.m, own.w, reader, 0)
    assert (beat_shown(own.m, reader), stream.late) == (1, ON_TIME)
    # taken four cycles late
    take_beat(own.m, own.w, reader, 5)
    assert (beat_shown(own.m, reader), stream.late) == (7, 2)
    take_beat(own.m, own.w, reader, 7)
    assert own.moves(stream) == [0, 5, 7]
    assert own.m[stream.producer] == 1


def test_a_beat_of_a_fork_moves_with_its_last_reader() -> None:
    own = Layout(1)
    stream, (left, right) = own.stream(readers=2)
    own.offer(stream, 0, 1)
    take_beat(own.m, own.w, left, 2)
    # the next beat is not there before the other reader took this one
    assert (stream.moved, beat_shown(own.m, left), beat_shown(own.m, right)) == (0, UNKNOWN, 0)
    assert own.m[right.owner] == 1
    take_beat(own.m, own.w, right, 6)
    assert (own.moves(stream), beat_shown(own.m, left), beat_shown(own.m, right)) == ([6], 7, 7)
    take_beat(own.m, own.w, right, 7)
    take_beat(own.m, own.w, left, 7)
    assert own.moves(stream) == [6, 7]


def test_the_end_of_each_frame_is_noted_on_its_edge() -> None:
    # two tokens of two beats, an empty frame, one token; each with an end
    own = Layout(2, 0, 1)
    stream, reader = own.stream(per_token=2)
    reader.edge = 0
    own.offer(stream, *range(9))
    for time in (10, 11, 12, 13, 20, 30, 31, 32, 40):
        take_beat(own.m, own.w, reader, time)
    assert own.ends(0) == [20, 30, 40]
    assert reader.frame == 3


def test_an_offer_wakes_all_readers() -> None:
    own = Layout(1)
    stream, readers = own.stream(readers=3)
    offer(own.m, stream, 1)
    assert [own.m[reader.owner] for reader in readers] == [1, 1, 1]


@settings(max_examples=40)
@given(burst=st.integers(1, 4), bursts=st.integers(1, 4), gap=st.integers(0, 3), n=st.integers(0, 40))
def test_a_token_at_a_pace_has_the_times_of_its_beats(burst: int, bursts: int, gap: int, n: int) -> None:
    own = Layout(1)
    stream, _ = own.stream()
    apart = burst + gap
    expected = {n + a * burst + b: 100 + a * apart + b for a in range(bursts) for b in range(burst)}
    times = stream.ring + stream.mask + 1
    note(own.m, times, stream.mask, n, 100, apart, burst, bursts)
    assert {beat: own.m[times + (beat & 15)] for beat in expected} == expected


@settings(max_examples=40)
@given(burst=st.integers(1, 6), bursts=st.integers(1, 12), gap=st.integers(0, 3), n=st.integers(0, 40))
def test_recalled_times_are_those_of_the_last_beats(burst: int, bursts: int, gap: int, n: int) -> None:
    own = Layout(1)
    stream, _ = own.stream(ring=8)
    apart, beats = burst + gap, burst * bursts
    # a token is kept at a pace only where it fills the ring
    if beats < 8:
        return
    stream.paced, stream.start, stream.apart, stream.burst, stream.bursts = n, 100, apart, burst, bursts
    recall(own.m, stream)
    expected = [100 + k // burst * apart + k % burst for k in range(beats)]
    assert [own.m[stream.ring + 8 + (n + k & 7)] for k in range(beats - 8, beats)] == expected[-8:]
    assert stream.paced == UNKNOWN
