"""Source and sink, by hand: stalls, and masks whose sites come one after the other."""

from __future__ import annotations

from cosim.cycle import ports
from cosim.cycle.active_sites import WHOLE
from cosim.cycle.ports import MaskSourceRecord, SinkRecord, SourceRecord
from cosim.cycle.records import UNKNOWN
from cosim.cycle.streams import StreamRecord
from tests.cosim.cycle.hand_made import PORT_BEATS, Layout
from tests.support.interpreted import interpreted

run_source, run_sink = interpreted(ports.run_source), interpreted(ports.run_sink)
run_mask_source = interpreted(ports.run_mask_source)

WAITS = [1, 0, 2]
"""Cycles 0 and 2 of three stall: how many cycles it is to the next that does not."""


def times_in(own: Layout) -> list[int]:
    """When beats came in, as far as it is noted."""
    times = own.w[own.m.header.input : own.m.header.input + PORT_BEATS]
    return times[times != UNKNOWN].tolist()


def test_a_source_that_never_stalls_offers_as_many_beats_as_the_ring_takes() -> None:
    own = Layout(5)
    stream, _ = own.stream(ring=4)
    source = own.process(SourceRecord, out=stream.at, total=6)
    run_source(own.m, own.w, source.at)
    assert own.offers(stream) == [0, 0, 0, 0]
    own.move(stream, 0, 1, 5)
    run_source(own.m, own.w, source.at)
    # no more than are played
    assert (stream.offered, times_in(own)) == (6, [0, 1, 5])


def test_a_source_that_stalls_offers_a_beat_when_the_one_before_is_taken_and_it_may() -> None:
    own = Layout(5)
    stream, _ = own.stream(ring=4)
    source = own.process(SourceRecord, out=stream.at, total=6, period=3, stalls=own.m.table(WAITS))
    moves = [1, 7, 8]
    for time in moves:
        run_source(own.m, own.w, source.at)
        own.move(stream, time)
    run_source(own.m, own.w, source.at)
    # of the cycles from 0, 2, 8 and 9 on the first that are 1 modulo 3
    assert own.offers(stream) == [1, 4, 10, 10]
    assert times_in(own) == moves


def test_a_sink_that_stalls_takes_a_beat_in_the_first_cycle_in_which_it_may() -> None:
    own = Layout(3)
    stream, reader = own.stream()
    sink = own.process(SinkRecord, reader, period=3, stalls=own.m.table(WAITS))
    own.offer(stream, 0, 1, 4, 6)
    run_sink(own.m, own.w, sink.at)
    assert own.moves(stream) == [1, 4, 7, 10]
    assert own.w[own.m.header.output :][:5].tolist() == [1, 4, 7, 10, UNKNOWN]
    assert sink.received == 4


def test_sites_of_a_mask_are_found_one_a_cycle_each_with_its_features() -> None:
    # a frame of two words of four sites, of which sites 1, 2 and 6 are active; two beats of features each
    own = Layout(3)
    own.w[:2] = 1, 3
    own.m.header.frames = 1
    stream, _ = own.stream(per_token=2)
    # numbers of tokens by class are w[0] and w[1]; the addresses of sites by class lie behind the times
    free = len(own.w)
    own.w.resize(free + 5, refcheck=False)
    own.w[free : free + 2] = 0, free + 2
    own.w[free + 2 :] = 1, 2, 6
    own.m.header.sites = free
    own.m.header.input = 3
    source = own.process(
        MaskSourceRecord, out=stream.at, mask_bits=4, mask_words=2, mask_latency=1, token_beats=2, passed_at=-1
    )
    assert WHOLE == 1
    for _ in range(4):
        run_mask_source(own.m, own.w, source.at)
        move_all(own, stream)
    # words in 0 and 1; the first is there in 1, its site found in 2, placed in 3, and its features shown from 4 on
    first, second = [4, 5], [6, 7]
    # word 1 is taken when the last site of word 0 is found, in 5 with the first site's last beat; then found, placed
    third = [8, 9]
    assert own.moves(stream) == [*first, *second, *third, own.moves(stream)[-1]]
    assert own.w[3:11].tolist() == [0, 1, *first, *second, *third]
    assert own.moves(stream)[-1] == 10
    assert source.mask_frame == 0


def move_all(own: Layout, stream: StreamRecord) -> None:
    """Let every beat move as soon as it can."""
    while stream.moved < stream.offered:
        offered = own.m[stream.ring + (stream.moved & stream.mask)]
        own.move(stream, max(offered, stream.last + 1))
