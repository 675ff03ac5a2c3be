"""The fast path of the cycle simulator: tokens that pass whole, so that all their times follow from the first.

The beats of a token that an op offers come at a *pace*: bursts of one beat a cycle, the first beats of consecutive
bursts ``apart`` cycles apart. Where every reader can take each beat as it comes, and the output queue has room for each
when those before it are gone, nothing is left to decide in the recurrences of ``streams`` and ``sites``. A token that
cannot pass whole passes beat by beat there.

A token also passes the queues behind its op, and the adds behind these, in the same step.
"""

from __future__ import annotations

from cosim.cycle.input_side import (
    TokenRecord,
    WindowRecord,
    row_ready,
    row_token_came,
    slot_ready,
    token_came,
    token_shows,
)
from cosim.cycle.op_state import ROOM_DELAY, ElementwiseRecord, OpRecord, PoolRecord, SiteRecord, end_site
from cosim.cycle.process import ELEMENTWISE, POOL, TOKENS, WINDOWS, ProcessRecord
from cosim.cycle.queues import QueueRecord, count
from cosim.cycle.records import UNKNOWN, compiled
from cosim.cycle.streams import READER, ReaderRecord, StreamRecord, moved_at, note, offered_at, recall

HELD_UP = -2
"""Result of the functions here where a beat may have to wait, so that the token cannot pass whole."""


@compiled
def pass_site(m, w, op: SiteRecord, steps):
    """Do the whole site that begins, if its token passes whole.

    Parameters
        m        the accelerator's records
        w        the call's data
        op       the op
        steps    steps of a round of the site
    Returns      0 if it passed; otherwise HELD_UP, or UNKNOWN where it is not known yet when a reader has room
    """
    stream, beats, depth = StreamRecord(m, op.out), op.beats, op.depth
    n, last, first = stream.offered, stream.last, op.free
    if stream.moved != n or not op.flows:
        return HELD_UP
    folds, own = op.neuron_folds, max(steps, beats)
    if last + ROOM_DELAY > first and n - stream.late < depth:
        # a round may have to wait for room; where beats come without a gap, all rounds wait as long as the first
        if own > beats:
            return HELD_UP
        before = n + beats - depth
        recall(m, stream)
        if before > 0:
            first = max(first, moved_at(m, stream, before - 1) + ROOM_DELAY)
        if first < last + ROOM_DELAY + beats - depth:
            return HELD_UP
    start = first + own - 1 + op.pipeline
    late = start <= last
    if late and own > beats:
        return HELD_UP
    add = _pass_on(m, w, stream, last + 1 if late else start, own, beats, folds)
    if add < 0:
        return add
    if late:
        stream.late = stream.offered
    pass_adds(m, w, add)
    time = first + folds * own - 1
    op.free, op.last_step = time + 1, time
    end_site(op, time, time - 1 if folds * own > 1 else -1, folds * steps)
    return 0


@compiled
def pass_adds(m, w, p):
    """Pass a token through an add, and the adds behind it, as far as it passes whole.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    address of the add; 0 for none
    """
    while p:
        add = pass_add(m, w, ElementwiseRecord(m, p))
        if add < 0:
            _wake(m, p)
            return
        p = add


@compiled
def _wake(m, p):
    """Wake the op at an address."""
    m[ReaderRecord(m, OpRecord(m, p).reader).owner] = 1


@compiled
def pass_add(m, w, op: ElementwiseRecord):
    """Take a token of both inputs of an add and give one, if it passes whole. The later input sets the pace.

    Parameters
        m      the accelerator's records
        w      the call's data
        op     the add
    Returns    the next add that may now do the same, or 0; otherwise HELD_UP or UNKNOWN
    """
    stream = StreamRecord(m, op.out)
    n = stream.offered
    if stream.moved != n or not op.flows:
        return HELD_UP
    reader, other = ReaderRecord(m, op.reader), ReaderRecord(m, op.second)
    if _pace_start(m, reader, n) < _pace_start(m, other, n):
        reader, other = other, reader
    paced, early = StreamRecord(m, reader.stream), StreamRecord(m, other.stream)
    beats = reader.per_token
    if paced.paced != n or early.offered < n + beats:
        return HELD_UP
    start, apart, burst, bursts = paced.start, paced.apart, paced.burst, paced.bursts
    waits = max(paced.last + 1, offered_at(m, early, n + beats - 1))
    last, out = stream.last, start + op.pipeline
    full = last + ROOM_DELAY > start and n - stream.late < op.depth
    if waits > start or full or out <= last:
        return HELD_UP
    add = _pass_on(m, w, stream, out, apart, burst, bursts)
    if add >= 0:
        _take(m, reader, start, apart, burst, bursts)
        _take(m, other, start, apart, burst, bursts)
        paced.steady = n
        op.busy += beats
    return add


@compiled
def _pace_start(m, reader: ReaderRecord, n):
    """When the token with first beat n is offered to a reader, if it passed whole; otherwise UNKNOWN."""
    stream = StreamRecord(m, reader.stream)
    return stream.start if stream.paced == n else UNKNOWN


@compiled
def _take(m, reader: ReaderRecord, start, apart, burst, bursts):
    """Take a token from a queue at a pace."""
    stream = StreamRecord(m, reader.stream)
    before = ReaderRecord(m, stream.before)
    if StreamRecord(m, before.stream).offered > before.accepted:
        m[stream.producer] = 1
    mask, n = stream.mask, stream.moved
    note(m, stream.ring + mask + 1, mask, n, start, apart, burst, bursts)
    stream.moved = n + burst * bursts
    stream.last = start + (bursts - 1) * apart + burst - 1
    _note_accepted(m, reader, burst * bursts)


@compiled
def _pass_on(m, w, stream: StreamRecord, start, apart, burst, bursts):
    """Move a token through a stream as it is offered, if all readers take it so.

    It returns the add that may have got a token through a queue, or 0; otherwise HELD_UP or UNKNOWN.
    """
    beats = burst * bursts
    readers = range(stream.reader, stream.reader + stream.readers * READER, READER)
    for r in readers:
        reader = ReaderRecord(m, r)
        if reader.queue:
            status = _queue_waits(m, QueueRecord(m, reader.queue), start, beats)
        else:
            status = _op_waits(m, reader, start, apart, burst, bursts)
        if status < 0:
            return status
    stream.offered += beats
    _note_moved(m, stream, start, apart, burst, bursts)
    add = 0
    for r in readers:
        reader = ReaderRecord(m, r)
        _note_accepted(m, reader, beats)
        if reader.queue:
            if add:
                _wake(m, add)
            add = _put(m, QueueRecord(m, reader.queue), start, apart, burst, bursts)
        else:
            _arrive(m, w, reader, start, apart, burst, bursts)
    return add


@compiled
def _time(start, apart, burst, beat):
    """The time of one of the token's beats."""
    return start + beat // burst * apart + beat % burst


@compiled
def _note_moved(m, stream: StreamRecord, start, apart, burst, bursts):
    """Note that a token moved through a stream at a pace."""
    n, mask = stream.moved, stream.mask
    if burst * bursts > mask:
        # most of these times are never read, as the next token passes whole as well
        _pace(stream, n, start, apart, burst, bursts)
    else:
        recall(m, stream)
        note(m, stream.ring + mask + 1, mask, n, start, apart, burst, bursts)
    stream.moved = n + burst * bursts
    stream.last = start + (bursts - 1) * apart + burst - 1


@compiled
def _pace(stream: StreamRecord, n, start, apart, burst, bursts):
    """Note the pace of a stream's last token that passed whole."""
    stream.paced, stream.start = n, start
    stream.apart, stream.burst, stream.bursts = apart, burst, bursts


@compiled
def _note_accepted(m, reader: ReaderRecord, beats):
    """Note that a reader took the beats of a token that its stream has just moved."""
    reader.accepted += beats
    reader.accepted_at = StreamRecord(m, reader.stream).last
    reader.remaining -= beats


@compiled
def _queue_waits(m, queue: QueueRecord, start, beats):
    """Whether a token that comes from ``start`` on may find a queue full: 0, or HELD_UP or UNKNOWN.

    Beats enter and leave a queue at least a cycle apart, so it is enough to look at the last beat that must be gone.
    """
    stream = StreamRecord(m, queue.sink)
    gone = stream.offered + beats - queue.depth
    if gone > stream.moved:
        return UNKNOWN
    if gone > 0 and moved_at(m, stream, gone - 1) + 2 - beats > start:
        return HELD_UP
    return 0


@compiled
def _put(m, queue: QueueRecord, start, apart, burst, bursts):
    """Put a token into a queue: the add behind it, or 0 where there is none."""
    count(m, queue)
    stream = StreamRecord(m, queue.sink)
    n, shown = stream.offered, start + queue.latency
    note(m, stream.ring, stream.mask, n, shown, apart, burst, bursts)
    _pace(stream, n, shown, apart, burst, bursts)
    stream.offered = n + burst * bursts
    count(m, queue)
    reader = ReaderRecord(m, stream.reader)
    if ProcessRecord(m, reader.consumer).kind == ELEMENTWISE:
        return reader.consumer
    m[reader.owner] = 1
    return 0


@compiled
def _ready(m, p):
    """The cycle from which the op at an address may take the first word of the next token."""
    kind = ProcessRecord(m, p).kind
    if kind == TOKENS:
        return slot_ready(m, TokenRecord(m, p))
    return row_ready(m, WindowRecord(m, p)) if kind == WINDOWS else 0


@compiled
def _op_waits(m, reader: ReaderRecord, start, apart, burst, bursts):
    """Whether a token, also through a converter to more lanes, may have to wait for an op: 0, or HELD_UP or UNKNOWN.

    The second word must wait in the converter until the first is taken, and the first until the word before it is.
    """
    p, wide = reader.consumer, reader.parts_per_word
    kind = ProcessRecord(m, p).kind
    takes = kind in (TOKENS, WINDOWS, POOL)
    if not takes or reader.parts_per_beat > 1 or reader.word or reader.parts:
        return HELD_UP
    ready = _ready(m, p)
    if ready == UNKNOWN:
        return UNKNOWN
    if wide == 1:
        return HELD_UP if ready > start else 0
    if reader.read_at > start + wide - 1 and reader.read_at > _time(start, apart, burst, wide - 1):
        return HELD_UP
    if ready <= start + 2 * wide - 1 or burst * bursts == wide:
        return 0
    return HELD_UP if ready > _time(start, apart, burst, 2 * wide - 1) else 0


@compiled
def _arrive(m, w, reader: ReaderRecord, start, apart, burst, bursts):
    """Note that a token came into an op."""
    p, wide = reader.consumer, reader.parts_per_word
    shown, read = start, reader.accepted_at
    if wide > 1:
        read += 1
        if burst * bursts == wide:
            read = max(read, _ready(m, p))
    reader.read_at = read
    kind = ProcessRecord(m, p).kind
    if kind == TOKENS:
        token_came(m, w, TokenRecord(m, p), read)
    elif kind == WINDOWS:
        op = WindowRecord(m, p)
        if wide > 1:
            shown = _time(start, apart, burst, wide - 1) + 1
        token_shows(m, op, shown)
        row_token_came(m, w, op, read)
    else:
        words = burst * bursts // wide
        pool = PoolRecord(m, p)
        pool.pool_left -= words
        pool.busy += words
    m[reader.owner] = 1
