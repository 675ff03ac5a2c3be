"""The fast path of the cycle simulator: tokens that pass whole, so that all their times follow from the first.

The beats of a token that an op offers come at a *pace*: bursts of one beat a cycle, the first beats of consecutive
bursts ``apart`` cycles apart. Where every reader can take each beat as it comes, and the output queue has room for each
when those before it are gone, nothing is left to decide in the recurrences of ``stream_times`` and ``site_times``. A
token that cannot pass whole passes beat by beat there.

A token also passes the queues behind its op, and the adds behind these, in the same step.
"""

from __future__ import annotations

from cosim.cycle import arrivals, kinds
from cosim.cycle import op_times as op
from cosim.cycle import stream_times as stream
from cosim.cycle.memory import BUSY, KIND, UNKNOWN, compiled

HELD_UP = -2
"""Result of the functions here where a beat may have to wait, so that the token cannot pass whole."""


@compiled
def pass_site(m, w, p, steps):
    """Do the whole site that begins, if its token passes whole.

    Parameters
        m        the accelerator's records
        w        the call's data
        p        the op's record
        steps    steps of a round of the site
    Returns      0 if it passed; otherwise HELD_UP, or UNKNOWN where it is not known yet when a reader has room
    """
    s, beats, depth = m[p + op.OUT], m[p + op.BEATS], m[p + op.DEPTH]
    n, last, first = m[s + stream.OFFERED], m[s + stream.LAST], m[p + op.FREE]
    if m[s + stream.MOVED] != n or not m[p + op.FLOWS]:
        return HELD_UP
    groups, own = m[p + op.GROUPS], max(steps, beats)
    if last + op.ROOM_DELAY > first and n - m[s + stream.LATE] < depth:
        # a round may have to wait for room; where beats come without a gap, all rounds wait as long as the first
        if own > beats:
            return HELD_UP
        before = n + beats - depth
        stream.recall(m, s)
        if before > 0:
            first = max(first, stream.moved_at(m, s, before - 1) + op.ROOM_DELAY)
        if first < last + op.ROOM_DELAY + beats - depth:
            return HELD_UP
    start = first + own - 1 + m[p + op.PIPELINE]
    late = start <= last
    if late and own > beats:
        return HELD_UP
    passed = pass_on(m, w, s, last + 1 if late else start, own, beats, groups)
    if passed < 0:
        return passed
    if late:
        m[s + stream.LATE] = m[s + stream.OFFERED]
    pass_adds(m, w, passed)
    time = first + groups * own - 1
    m[p + op.FREE], m[p + op.LAST_STEP] = time + 1, time
    op.done(m, p, time, time - 1 if groups * own > 1 else -1, groups * steps)
    return 0


@compiled
def pass_adds(m, w, p):
    """Pass a token through an add, and the adds behind it, as far as it passes whole.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    the add's record; 0 for none
    """
    while p:
        passed = pass_add(m, w, p)
        if passed < 0:
            _wake(m, p)
            return
        p = passed


@compiled
def _wake(m, p):
    """Wake an op."""
    m[m[m[p + op.IN] + stream.OWNER]] = 1


@compiled
def pass_add(m, w, p):
    """Take a token of both inputs of an add and give one, if it passes whole. The later input sets the pace.

    Parameters
        m      the accelerator's records
        w      the call's data
        p      the add's record
    Returns    the next add that may now do the same, or 0; otherwise HELD_UP or UNKNOWN
    """
    s, n = m[p + op.OUT], m[m[p + op.OUT] + stream.OFFERED]
    if m[s + stream.MOVED] != n or not m[p + op.FLOWS]:
        return HELD_UP
    r, other = m[p + op.IN], m[p + op.SECOND]
    if _pace_start(m, r, n) < _pace_start(m, other, n):
        r, other = other, r
    paced, early = m[r + stream.STREAM], m[other + stream.STREAM]
    beats = m[r + stream.PER_TOKEN]
    if m[paced + stream.PACED] != n or m[early + stream.OFFERED] < n + beats:
        return HELD_UP
    start, apart = m[paced + stream.START], m[paced + stream.APART]
    burst, bursts = m[paced + stream.BURST], m[paced + stream.BURSTS]
    waits = max(m[paced + stream.LAST] + 1, stream.offered_at(m, early, n + beats - 1))
    last, out = m[s + stream.LAST], start + m[p + op.PIPELINE]
    full = last + op.ROOM_DELAY > start and n - m[s + stream.LATE] < m[p + op.DEPTH]
    if waits > start or full or out <= last:
        return HELD_UP
    passed = pass_on(m, w, s, out, apart, burst, bursts)
    if passed >= 0:
        _take(m, r, start, apart, burst, bursts)
        _take(m, other, start, apart, burst, bursts)
        m[paced + stream.STEADY] = n
        m[p + BUSY] += beats
    return passed


@compiled
def _pace_start(m, r, n):
    """When the token with first beat n is offered to a reader, if it passed whole; otherwise UNKNOWN."""
    s = m[r + stream.STREAM]
    return m[s + stream.START] if m[s + stream.PACED] == n else UNKNOWN


@compiled
def _take(m, r, start, apart, burst, bursts):
    """Take a token from a queue at a pace."""
    s = m[r + stream.STREAM]
    before = m[s + stream.BEFORE]
    if m[m[before + stream.STREAM] + stream.OFFERED] > m[before + stream.TAKEN]:
        m[m[s + stream.PRODUCER]] = 1
    mask, n = m[s + stream.MASK], m[s + stream.MOVED]
    stream.note(m, m[s + stream.RING] + mask + 1, mask, n, start, apart, burst, bursts)
    m[s + stream.MOVED] = n + burst * bursts
    m[s + stream.LAST] = start + (bursts - 1) * apart + burst - 1
    _taken(m, r, burst * bursts)


@compiled
def pass_on(m, w, s, start, apart, burst, bursts):
    """Move a token through a stream as it is offered, if all readers take it so.

    Parameters
        m         the accelerator's records
        w         the call's data
        s         the stream
        start     when the first beat is offered
        apart     cycles from one burst to the next
        burst     beats of a burst
        bursts    bursts of the token
    Returns       the add that may have got a token through a queue, or 0; otherwise HELD_UP or UNKNOWN
    """
    first, beats = m[s + stream.READER], burst * bursts
    readers = range(first, first + m[s + stream.READERS] * stream.READER_SIZE, stream.READER_SIZE)
    for r in readers:
        if m[r + stream.QUEUE]:
            held = _queue_waits(m, m[r + stream.QUEUE], start, beats)
        else:
            held = _op_waits(m, r, start, apart, burst, bursts)
        if held < 0:
            return held
    n = m[s + stream.OFFERED]
    m[s + stream.OFFERED] = n + beats
    _moved(m, s, start, apart, burst, bursts)
    add = 0
    for r in readers:
        _taken(m, r, beats)
        if m[r + stream.QUEUE]:
            if add:
                _wake(m, add)
            add = _put(m, m[r + stream.QUEUE], start, apart, burst, bursts)
        else:
            _arrive(m, w, r, start, apart, burst, bursts)
    return add


@compiled
def _time(start, apart, burst, beat):
    """The time of one of the token's beats."""
    return start + beat // burst * apart + beat % burst


@compiled
def _moved(m, s, start, apart, burst, bursts):
    """Note that a token moved through a stream at a pace."""
    n, mask = m[s + stream.MOVED], m[s + stream.MASK]
    if burst * bursts > mask:
        # most of these times are never read, as the next token passes whole as well
        _pace(m, s, n, start, apart, burst, bursts)
    else:
        stream.recall(m, s)
        stream.note(m, m[s + stream.RING] + mask + 1, mask, n, start, apart, burst, bursts)
    m[s + stream.MOVED] = n + burst * bursts
    m[s + stream.LAST] = start + (bursts - 1) * apart + burst - 1


@compiled
def _pace(m, s, n, start, apart, burst, bursts):
    """Note the pace of a stream's last token that passed whole."""
    m[s + stream.PACED], m[s + stream.START] = n, start
    m[s + stream.APART], m[s + stream.BURST], m[s + stream.BURSTS] = apart, burst, bursts


@compiled
def _taken(m, r, beats):
    """Note that a reader took the beats of a token that its stream has just moved."""
    m[r + stream.TAKEN] += beats
    m[r + stream.TAKEN_AT] = m[m[r + stream.STREAM] + stream.LAST]
    m[r + stream.LEFT] -= beats


@compiled
def _queue_waits(m, q, start, beats):
    """Whether a token that comes from ``start`` on may find a queue full: 0, or HELD_UP or UNKNOWN.

    Beats enter and leave a queue at least a cycle apart, so it is enough to look at the last beat that must be gone.
    """
    s, depth = m[q + stream.SINK], m[q + stream.DEPTH]
    gone = m[s + stream.OFFERED] + beats - depth
    if gone > m[s + stream.MOVED]:
        return UNKNOWN
    if gone > 0 and stream.moved_at(m, s, gone - 1) + 2 - beats > start:
        return HELD_UP
    return 0


@compiled
def _put(m, q, start, apart, burst, bursts):
    """Put a token into a queue: the add behind it, or 0 where there is none."""
    stream.count(m, q)
    s = m[q + stream.SINK]
    n, mask, shown = m[s + stream.OFFERED], m[s + stream.MASK], start + m[q + stream.LATENCY]
    stream.note(m, m[s + stream.RING], mask, n, shown, apart, burst, bursts)
    _pace(m, s, n, shown, apart, burst, bursts)
    m[s + stream.OFFERED] = n + burst * bursts
    stream.count(m, q)
    reader = m[s + stream.READER]
    if m[m[reader + stream.CONSUMER] + KIND] == kinds.ELEMENTWISE:
        return m[reader + stream.CONSUMER]
    m[m[reader + stream.OWNER]] = 1
    return 0


@compiled
def _ready(m, p):
    """The cycle from which an op may take the first word of the next token."""
    if m[p + KIND] == kinds.TOKENS:
        return arrivals.slot_ready(m, p)
    return arrivals.row_ready(m, p) if m[p + KIND] == kinds.WINDOWS else 0


@compiled
def _op_waits(m, r, start, apart, burst, bursts):
    """Whether a token, also through a converter to more lanes, may have to wait for an op: 0, or HELD_UP or UNKNOWN.

    The second word must wait in the converter until the first is taken, and the first until the word before it is.
    """
    p, wide = m[r + stream.CONSUMER], m[r + stream.WIDEN]
    takes = m[p + KIND] == kinds.TOKENS or m[p + KIND] == kinds.WINDOWS or m[p + KIND] == kinds.POOL
    if not takes or m[r + stream.NARROW] > 1 or m[r + stream.WORD] or m[r + stream.PARTS]:
        return HELD_UP
    ready = _ready(m, p)
    if ready == UNKNOWN:
        return UNKNOWN
    if wide == 1:
        return HELD_UP if ready > start else 0
    if m[r + stream.READ_AT] > start + wide - 1 and m[r + stream.READ_AT] > _time(start, apart, burst, wide - 1):
        return HELD_UP
    if ready <= start + 2 * wide - 1 or burst * bursts == wide:
        return 0
    return HELD_UP if ready > _time(start, apart, burst, 2 * wide - 1) else 0


@compiled
def _arrive(m, w, r, start, apart, burst, bursts):
    """Note that a token came into an op."""
    p, wide = m[r + stream.CONSUMER], m[r + stream.WIDEN]
    shown, read = start, m[r + stream.TAKEN_AT]
    if wide > 1:
        read += 1
        if burst * bursts == wide:
            read = max(read, _ready(m, p))
    m[r + stream.READ_AT] = read
    if m[p + KIND] == kinds.TOKENS:
        arrivals.token_came(m, w, p, read)
    elif m[p + KIND] == kinds.WINDOWS:
        if wide > 1:
            shown = _time(start, apart, burst, wide - 1) + 1
        arrivals.token_shows(m, p, shown)
        arrivals.row_token_came(m, w, p, read)
    else:
        words = burst * bursts // wide
        m[p + arrivals.POOL_LEFT] -= words
        m[p + BUSY] += words
    m[m[r + stream.OWNER]] = 1
