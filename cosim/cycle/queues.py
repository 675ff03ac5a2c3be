"""Queues of the cycle simulator: when beats go in, and how many they hold."""

from __future__ import annotations

from cosim.cycle.process import ProcessRecord
from cosim.cycle.records import UNKNOWN, compiled
from cosim.cycle.streams import ReaderRecord, StreamRecord, beat_shown, leave, offer, take_beat


class QueueRecord(ProcessRecord):
    """A queue."""

    depth: int  # its depth in beats
    latency: int  # cycles from a beat's entry to its showing at the output
    source: int  # its reader
    sink: int  # the stream that it offers
    most: int  # the most beats it held
    counted_in: int  # beats in that are counted for ``most``
    counted_out: int  # beats out that are counted for ``most``


@compiled
def entry(m, queue: QueueRecord, n, time):
    """When beat n goes into a queue: from cycle ``time`` on, once the place of beat n - depth is free.

    In a queue in LUTs a place is free in the cycle after its beat moved out. In a queue in block memory it is free when
    its beat shows at the output, which is the memory's register.

    Parameters
        m        the accelerator's records
        queue    the queue
        n        number of the beat
        time     the cycle from which it shows at the input
    """
    stream, before = StreamRecord(m, queue.sink), n - queue.depth
    if before < 0:
        return time
    mask, offers = stream.mask, stream.ring
    moves = offers + mask + 1
    if queue.latency == 1:
        if stream.moved <= before:
            return UNKNOWN
        return max(time, m[moves + (before & mask)] + 1)
    if stream.moved < before:
        return UNKNOWN
    if before:
        time = max(time, m[moves + (before - 1 & mask)] + 1)
    return max(time, m[offers + (before & mask)])


@compiled
def put(m, w, queue: QueueRecord):
    """Put the next beat into a queue if its time is known.

    Parameters
        m        the accelerator's records
        w        the call's data
        queue    the queue
    Returns      whether it went in
    """
    reader, stream = ReaderRecord(m, queue.source), StreamRecord(m, queue.sink)
    shown, n = beat_shown(m, reader), reader.accepted
    time = UNKNOWN if shown == UNKNOWN else entry(m, queue, n, shown)
    if time == UNKNOWN:
        return False
    count(m, queue)
    take_beat(m, w, reader, time)
    m[stream.ring + (n & stream.mask)] = time + queue.latency
    offer(m, stream, n + 1)
    return True


@compiled
def count(m, queue: QueueRecord):
    """Update the most beats that a queue held.

    When beat n goes in, the queue holds n + 1 beats less those that left before, since a place is free only after its
    beat left.

    Parameters
        m        the accelerator's records
        queue    the queue
    """
    stream = StreamRecord(m, queue.sink)
    mask, offers, latency = stream.mask, stream.ring, queue.latency
    into, out, most, last = queue.counted_in, queue.counted_out, queue.most, stream.offered
    moves = offers + mask + 1
    while into < last:
        time = m[offers + (into & mask)] - latency
        while out < stream.moved and m[moves + (out & mask)] < time:
            out += 1
        if out == stream.moved:
            # when the next one leaves is not known yet
            break
        closed = m[moves + (out & mask)] >= m[offers + (last - 1 & mask)] - latency
        if closed or last - out <= most:
            # no beat leaves before all are in, or the queue held as many before
            most = max(most, last - out)
            into, out = last, max(out, last - queue.depth - 1)
            break
        if stream.steady == into:
            # each beat of the token stays for the latency only; beats of the token before may be there as well
            before = m[moves + (into - 1 & mask)] - time + 2 if into else 0
            if max(latency + 1, before) <= most:
                into += ReaderRecord(m, stream.reader).per_token
                out = max(out, into - max(before, 0) - latency)
                continue
        into += 1
        most = max(most, into - out)
    queue.counted_in, queue.counted_out, queue.most = into, out, most


@compiled
def run_queue(m, w, p):
    """Run a queue: all beats whose time is known go in.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    address of the queue
    """
    queue = QueueRecord(m, p)
    reader, out = ReaderRecord(m, queue.source), StreamRecord(m, queue.sink)
    stream = StreamRecord(m, reader.stream)
    count(m, queue)
    if stream.readers > 1:
        while put(m, w, queue):
            pass
        count(m, queue)
        return
    # the same recurrence, many beats at a time
    n, mask, out_mask = reader.accepted, stream.mask, out.mask
    offers, out_offers = stream.ring, out.ring
    start, last = n, stream.last
    while n < stream.offered:
        time = entry(m, queue, n, max(m[offers + (n & mask)], last + 1))
        if time == UNKNOWN:
            break
        last = time
        m[offers + mask + 1 + (n & mask)] = time
        m[out_offers + (n & out_mask)] = time + queue.latency
        if time > m[offers + (n & mask)]:
            stream.late = n + 1
        n += 1
        reader.accepted_at = time
        leave(m, w, reader, 1)
    if n > start:
        reader.accepted, stream.moved, stream.last = n, n, last
        m[stream.producer] = 1
        offer(m, out, n)
        count(m, queue)
