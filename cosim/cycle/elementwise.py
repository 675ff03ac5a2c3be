"""Elementwise ops in the cycle simulator: a beat for each beat in."""

from __future__ import annotations

from cosim.cycle.lane_converters import straight, take_word, word_shown
from cosim.cycle.op_state import ElementwiseRecord, room
from cosim.cycle.records import UNKNOWN, compiled
from cosim.cycle.streams import ReaderRecord, StreamRecord, leave, offer, recall
from cosim.cycle.token_fast_path import pass_add, pass_adds


@compiled
def run_elementwise(m, w, p):
    """Run an elementwise op: when all inputs show a beat and the output queue has room, these go in and one comes out.

    A cycle with a beat in is busy; one in which all inputs show a beat that is not taken is blocked.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    address of the op
    """
    op = ElementwiseRecord(m, p)
    a, b, stream = ReaderRecord(m, op.reader), ReaderRecord(m, op.second), StreamRecord(m, op.out)
    add = pass_add(m, w, op)
    if add > 0:
        pass_adds(m, w, add)
    recall(m, stream)
    if straight(m, a) and straight(m, b):
        _run_straight(m, w, op, a, b, stream)
        return
    while True:
        # both inputs are asked in any case, since asking lets their converters take beats in
        shown, other = word_shown(m, w, a), word_shown(m, w, b)
        n = stream.offered
        place = room(m, stream, op.depth, n, 1)
        if shown == UNKNOWN or other == UNKNOWN or place == UNKNOWN:
            return
        shown = max(shown, other)
        time = max(shown, place)
        take_word(m, w, a, time)
        if op.second != op.reader:
            take_word(m, w, b, time)
        m[stream.ring + (n & stream.mask)] = time + op.pipeline
        offer(m, stream, n + 1)
        op.busy += 1
        op.blocked += time - shown


@compiled
def _run_straight(m, w, op: ElementwiseRecord, a: ReaderRecord, b: ReaderRecord, stream: StreamRecord):
    """``run_elementwise`` of inputs without fork or converter: the same recurrence, many beats at a time."""
    stream_a, stream_b = StreamRecord(m, a.stream), StreamRecord(m, b.stream)
    n, mask, mask_a, mask_b = stream.offered, stream.mask, stream_a.mask, stream_b.mask
    offers, offers_a, offers_b = stream.ring, stream_a.ring, stream_b.ring
    start, last, blocked = n, stream_a.last, 0
    while n < stream_a.offered and n < stream_b.offered:
        place = room(m, stream, op.depth, n, 1)
        if place == UNKNOWN:
            break
        shown = max(m[offers_a + (n & mask_a)], m[offers_b + (n & mask_b)], last + 1)
        last = max(shown, place)
        if last > m[offers_a + (n & mask_a)]:
            stream_a.late = n + 1
        if last > m[offers_b + (n & mask_b)]:
            stream_b.late = n + 1
        blocked += last - shown
        m[offers_a + mask_a + 1 + (n & mask_a)] = last
        m[offers_b + mask_b + 1 + (n & mask_b)] = last
        m[offers + (n & mask)] = last + op.pipeline
        n += 1
        a.accepted_at = last
        leave(m, w, a, 1)
        if op.second != op.reader:
            b.accepted_at = last
            leave(m, w, b, 1)
    if n > start:
        for reader, read in ((a, stream_a), (b, stream_b)):
            reader.accepted, read.moved, read.last = n, n, last
            m[read.producer] = 1
        offer(m, stream, n)
        op.busy += n - start
        op.blocked += blocked
