"""Streams of the cycle simulator: when beats are offered, and when they move.

Beat n of a stream is offered in cycle o[n] by its producer and moves in m[n], the first cycle in which it is offered,
its reader takes it, and the beat before it is gone: m[n] = max(o[n], m[n-1] + 1, what the reader waits for). A fork is
a stream with several readers; each takes a beat when it is ready for it, and m[n] is the last of these times.

A token that passes whole (``token_fast_path``) moves at a pace: ``bursts`` bursts of ``burst`` beats, one beat a cycle;
the first beats of consecutive bursts are ``apart`` cycles apart.
"""

from __future__ import annotations

from cosim.cycle.records import UNKNOWN, HeaderRecord, Record, compiled

ON_TIME = -1 << 40
"""``late`` of a stream whose beats all moved when they were offered."""


class StreamRecord(Record):
    """A stream.

    ``paced`` to ``bursts`` are the last token that passed whole. Behind a queue they hold the pace at which it is
    offered. Otherwise they hold the pace at which it moved, until ``recall`` writes its times to the ring.
    """

    at: int  # its address
    offered: int  # beats offered so far
    moved: int  # beats moved so far
    last: int  # when the last beat moved
    late: int  # beats moved so far when one last moved later than it was offered; ON_TIME before that
    ring: int  # address of the ring of offer times; the ring of move times follows it
    mask: int  # index mask of both rings
    readers: int  # number of its readers
    reader: int  # address of the first reader; the others follow it
    producer: int  # address of the flag that wakes the process that offers its beats
    before: int  # the reader of the queue that offers its beats; 0 without a queue
    paced: int  # number of the token's first beat; -1 where there is none
    start: int  # when its first beat is offered or moved
    apart: int  # cycles from one burst to the next
    burst: int  # beats of a burst
    bursts: int  # its bursts
    steady: int  # behind a queue, first beat of the last token that left it at the pace at which it was offered


class ReaderRecord(Record):
    """A reader of a stream, with its lane converters (``lane_converters``).

    The converter to fewer lanes splits each beat into parts, which are offered a cycle after the beat entered; the one
    to more lanes joins parts to a word, which shows a cycle after its last part entered.
    """

    at: int  # its address
    stream: int  # its stream
    owner: int  # address of the flag that wakes its process
    consumer: int  # its process
    queue: int  # its process where that is a queue, otherwise 0
    accepted: int  # beats accepted so far
    accepted_at: int  # when the last beat was accepted
    frame: int  # frame of the next beat
    remaining: int  # beats of that frame that are not accepted yet
    site_class: int  # class of its sites
    per_token: int  # beats of a token
    edge: int  # number of the edge whose ``end`` times it writes; -1 for none
    parts_per_beat: int  # parts of a beat; 1 without a converter to fewer lanes
    split_remaining: int  # parts of the beat in that converter that are not out yet
    split_at: int  # from when these are offered
    split_end: int  # whether that beat is an ``end``
    part_at: int  # when the last part moved
    parts_per_word: int  # parts of a word; 1 without a converter to more lanes
    parts: int  # parts of the next word in that converter
    word: int  # whether the next word is complete
    word_at: int  # from when it shows
    read_at: int  # when the last word was taken


READER = ReaderRecord.size


@compiled
def note(m, times, mask, n, start, apart, burst, bursts):
    """Write the times of a token that passes whole to a ring that has a place for each of its beats.

    Parameters
        m         the accelerator's records
        times     address of the ring
        mask      its index mask
        n         number of the token's first beat
        start     time of that beat
        apart     cycles from one burst to the next
        burst     beats of a burst
        bursts    bursts of the token
    """
    if apart == burst:
        burst, bursts, apart = 1, burst * bursts, 1
    for beat in range(burst):
        place, time = n + beat, start + beat
        for _ in range(bursts):
            m[times + (place & mask)] = time
            place += burst
            time += apart


@compiled
def recall(m, stream: StreamRecord):
    """Write the move times of the last token that passed whole to the ring, those of its last beats where not all fit.

    Parameters
        m         the accelerator's records
        stream    the stream
    """
    n, mask = stream.paced, stream.mask
    if n == UNKNOWN:
        return
    apart, burst, bursts = stream.apart, stream.burst, stream.bursts
    skipped = (burst * bursts - mask - 1) // burst
    start, remaining = stream.start + skipped * apart, bursts - skipped
    moves = stream.ring + mask + 1
    n += skipped * burst
    for _ in range(remaining):
        for beat in range(burst):
            m[moves + (n + beat & mask)] = start + beat
        n += burst
        start += apart
    stream.paced = UNKNOWN


@compiled
def offer(m, stream: StreamRecord, count):
    """Set the number of beats that a stream has offered, and wake its readers.

    Parameters
        m         the accelerator's records
        stream    the stream
        count     beats offered so far
    """
    stream.offered = count
    for r in range(stream.reader, stream.reader + stream.readers * READER, READER):
        m[ReaderRecord(m, r).owner] = 1


@compiled
def offered_at(m, stream: StreamRecord, n):
    """When beat n, which is still in the ring, was offered.

    Parameters
        m         the accelerator's records
        stream    the stream
        n         number of the beat
    """
    return m[stream.ring + (n & stream.mask)]


@compiled
def moved_at(m, stream: StreamRecord, n):
    """When beat n, which is still in the ring, moved.

    Parameters
        m         the accelerator's records
        stream    the stream
        n         number of the beat
    """
    return m[stream.ring + stream.mask + 1 + (n & stream.mask)]


@compiled
def _move(m, stream: StreamRecord, n, time):
    """Note that beat n of a stream, the next one, moves in cycle ``time``, and wake its producer."""
    if time > offered_at(m, stream, n):
        stream.late = n + 1
    m[stream.ring + stream.mask + 1 + (n & stream.mask)] = time
    stream.moved = n + 1
    stream.last = time
    m[stream.producer] = 1


@compiled
def frame_tokens(m, w, site_class, frame):
    """Tokens of a frame on a stream; 0 after the last frame.

    Parameters
        m             the accelerator's records
        w             the call's data
        site_class    class of the stream's sites
        frame         number of the frame
    """
    header = HeaderRecord(m, 0)
    return w[header.tokens + site_class * header.frames + frame] if frame < header.frames else 0


@compiled
def begin_frame(m, w, reader: ReaderRecord, frame):
    """Make the next beat of a reader the first of a frame.

    Parameters
        m         the accelerator's records
        w         the call's data
        reader    the reader
        frame     number of the frame
    """
    reader.frame = frame
    if frame < HeaderRecord(m, 0).frames:
        reader.remaining = frame_tokens(m, w, reader.site_class, frame) * reader.per_token + 1


@compiled
def leave(m, w, reader: ReaderRecord, beats):
    """Count beats of one frame that a reader has taken, the last of them at its ``accepted_at``.

    Parameters
        m         the accelerator's records
        w         the call's data
        reader    the reader
        beats     how many it has taken
    """
    reader.remaining -= beats
    if reader.remaining == 0:
        header = HeaderRecord(m, 0)
        if reader.edge >= 0:
            w[header.ends + reader.edge * header.frames + reader.frame] = reader.accepted_at
        begin_frame(m, w, reader, reader.frame + 1)


@compiled
def take_beat(m, w, reader: ReaderRecord, time):
    """Let a reader take its next beat; the beat moves when it is the last reader to do so.

    Parameters
        m         the accelerator's records
        w         the call's data
        reader    the reader
        time      the cycle in which it takes it
    """
    stream, n = StreamRecord(m, reader.stream), reader.accepted
    reader.accepted = n + 1
    reader.accepted_at = time
    leave(m, w, reader, 1)
    if stream.readers > 1:
        readers = range(stream.reader, stream.reader + stream.readers * READER, READER)
        for r in readers:
            other = ReaderRecord(m, r)
            if other.accepted <= n:
                m[other.owner] = 1
                return
            time = max(time, other.accepted_at)
        for r in readers:
            if r != reader.at:
                m[ReaderRecord(m, r).owner] = 1
    _move(m, stream, n, time)


@compiled
def beat_shown(m, reader: ReaderRecord):
    """The cycle from which the next beat shows at a reader: not before all readers have taken the beat before it.

    Parameters
        m         the accelerator's records
        reader    the reader
    """
    stream, n = StreamRecord(m, reader.stream), reader.accepted
    if stream.moved < n or stream.offered <= n:
        return UNKNOWN
    return max(offered_at(m, stream, n), stream.last + 1)
