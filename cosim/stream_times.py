"""Streams of the cycle simulator: when beats are offered and taken, through forks, queues and lane converters.

Beat n of a stream is offered in cycle o[n] by its producer and moves in m[n], the first cycle in which it is offered,
its reader takes it, and the beat before it is gone: m[n] = max(o[n], m[n-1] + 1, what the reader waits for). A fork is
a stream with several readers; each takes a beat when it is ready for it, and m[n] is the last of these times.

A reader sees words: the stream's beats behind up to two lane converters, to fewer lanes and then to more. It asks
``word_shown``, from which cycle the next word stands before it, and says ``take_word``.
"""

from __future__ import annotations

from cosim.memory import ENDS, FRAMES, PROCESS, TOKENS, UNKNOWN, compiled

(
    OFFERED, MOVED, LAST, LATE, RING, MASK, READERS, READER, PRODUCER, BEFORE,
    PACED, START, APART, BURST, BURSTS, STEADY, STREAM_SIZE,
) = range(17)  # fmt: skip
"""Of a stream: beats offered and moved so far, the time of the last move, how many had moved when one last did so later
than it was offered (``ON_TIME`` before that); the rings of both times (m's behind o's), the address of the first of its
readers, which lie in a row, and of the flag that wakes the process that offers; the reader of that, if it is a queue,
else 0. Of the last token that passed whole (``whole_tokens``) the first beat and the pace: behind a queue that at which
it is offered, and the first beat of the last one that also left so; else that at which it moved, until the ring has it.
"""

ON_TIME = -1 << 40

(
    STREAM, OWNER, CONSUMER, QUEUE, TAKEN, TAKEN_AT, FRAME, LEFT, CLASS, PER_TOKEN, EDGE,
    NARROW, HELD, HELD_AT, HELD_END, PART_AT, WIDEN, PARTS, WORD, WORD_AT, READ_AT, READER_SIZE,
) = range(22)  # fmt: skip
"""Of a reader: its stream, the flag that wakes its process, that process, and once more if it is a queue, else 0. Beats
taken, the time of the last, the frame of the next one and how many that has left; the class of its tokens, and the
beats of one; the edge whose ``end`` it notes, or -1.

Its converters: each beat becomes ``NARROW`` parts, of which ``HELD`` are left, offered at ``HELD_AT``, of a frame's
``end`` or not; the last part moved at ``PART_AT``. Of ``WIDEN`` parts, ``PARTS`` are in the register of the next word,
and when it is complete, ``WORD``, it shows at ``WORD_AT``. The last word was taken at ``READ_AT``.
"""


@compiled
def note(m, times, mask, n, start, apart, burst, bursts):
    """Notes the times of a whole token's beats, of which the first is number n, in a ring that has place for all."""
    if apart == burst:
        burst, bursts, apart = 1, burst * bursts, 1
    for beat in range(burst):
        place, time = n + beat, start + beat
        for _ in range(bursts):
            m[times + (place & mask)] = time
            place += burst
            time += apart


@compiled
def recall(m, s):
    """Notes when beats of the last whole token moved, as many as there are places for."""
    n, mask = m[s + PACED], m[s + MASK]
    if n == UNKNOWN:
        return
    apart, burst, bursts = m[s + APART], m[s + BURST], m[s + BURSTS]
    skipped = (burst * bursts - mask - 1) // burst
    start, left = m[s + START] + skipped * apart, bursts - skipped
    moves = m[s + RING] + mask + 1
    n += skipped * burst
    for _ in range(left):
        for beat in range(burst):
            m[moves + (n + beat & mask)] = start + beat
        n += burst
        start += apart
    m[s + PACED] = UNKNOWN


@compiled
def offered(m, s, count):
    """So many beats of a stream are offered now."""
    m[s + OFFERED] = count
    first = m[s + READER]
    for r in range(first, first + m[s + READERS] * READER_SIZE, READER_SIZE):
        m[m[r + OWNER]] = 1


@compiled
def offered_at(m, s, n):
    """When beat n, which is still in the ring, was offered."""
    return m[m[s + RING] + (n & m[s + MASK])]


@compiled
def moved_at(m, s, n):
    """When beat n, which is still in the ring, moved."""
    return m[m[s + RING] + m[s + MASK] + 1 + (n & m[s + MASK])]


@compiled
def _moved(m, s, n, time):
    if time > offered_at(m, s, n):
        m[s + LATE] = n + 1
    m[m[s + RING] + m[s + MASK] + 1 + (n & m[s + MASK])] = time
    m[s + MOVED] = n + 1
    m[s + LAST] = time
    m[m[s + PRODUCER]] = 1


@compiled
def begin_frame(m, w, r, frame):
    """The next beat of a reader is the first of a frame."""
    m[r + FRAME] = frame
    if frame < m[FRAMES]:
        m[r + LEFT] = w[m[TOKENS] + m[r + CLASS] * m[FRAMES] + frame] * m[r + PER_TOKEN] + 1


@compiled
def leave(m, w, r, beats):
    """A reader has taken so many beats of a frame, the last in its ``TAKEN_AT``."""
    m[r + LEFT] -= beats
    if m[r + LEFT] == 0:
        if m[r + EDGE] >= 0:
            w[m[ENDS] + m[r + EDGE] * m[FRAMES] + m[r + FRAME]] = m[r + TAKEN_AT]
        begin_frame(m, w, r, m[r + FRAME] + 1)


@compiled
def _take_beat(m, w, r, time):
    s, n = m[r + STREAM], m[r + TAKEN]
    m[r + TAKEN] = n + 1
    m[r + TAKEN_AT] = time
    leave(m, w, r, 1)
    if m[s + READERS] > 1:
        first = m[s + READER]
        readers = range(first, first + m[s + READERS] * READER_SIZE, READER_SIZE)
        for other in readers:
            if m[other + TAKEN] <= n:
                m[m[other + OWNER]] = 1
                return
            time = max(time, m[other + TAKEN_AT])
        for other in readers:
            if other != r:
                m[m[other + OWNER]] = 1
    _moved(m, s, n, time)


@compiled
def _beat_shown(m, r):
    """The cycle from which the next beat stands before a reader: not before all have taken the one before."""
    s, n = m[r + STREAM], m[r + TAKEN]
    if m[s + MOVED] < n or m[s + OFFERED] <= n:
        return UNKNOWN
    return max(m[m[s + RING] + (n & m[s + MASK])], m[s + LAST] + 1)


DEPTH, LATENCY, SOURCE, SINK, MOST, COUNTED_IN, COUNTED_OUT, QUEUE_SIZE = range(PROCESS, PROCESS + 8)
"""Of a queue: its depth, the cycles from a beat's entry to its showing, its reader, the stream it offers, the most
beats it held, and the beats in and out of it that are counted for that.
"""


@compiled
def _placed(m, q, n, time):
    """When beat n goes into a queue, from cycle ``time`` on, once the place of beat n - depth is free.

    Of a queue in LUTs a place is free the cycle after its beat moved out. Of one in block memory it is free when its
    beat shows at the output, which is the memory's register.
    """
    s, before = m[q + SINK], n - m[q + DEPTH]
    if before < 0:
        return time
    mask, offers = m[s + MASK], m[s + RING]
    moves = offers + mask + 1
    if m[q + LATENCY] == 1:
        if m[s + MOVED] <= before:
            return UNKNOWN
        return max(time, m[moves + (before & mask)] + 1)
    if m[s + MOVED] < before:
        return UNKNOWN
    if before:
        time = max(time, m[moves + (before - 1 & mask)] + 1)
    return max(time, m[offers + (before & mask)])


@compiled
def put(m, w, q):
    """A beat goes into a queue, if its time is known; whether it is."""
    r, s = m[q + SOURCE], m[q + SINK]
    shown, n = _beat_shown(m, r), m[r + TAKEN]
    time = UNKNOWN if shown == UNKNOWN else _placed(m, q, n, shown)
    if time == UNKNOWN:
        return False
    count(m, q)
    _take_beat(m, w, r, time)
    m[m[s + RING] + (n & m[s + MASK])] = time + m[q + LATENCY]
    offered(m, s, n + 1)
    return True


@compiled
def count(m, q):
    """Notes the most beats a queue held: n + 1 less those that left before beat n came, as a place is free after."""
    s = m[q + SINK]
    mask, offers, latency = m[s + MASK], m[s + RING], m[q + LATENCY]
    into, out, most, last = m[q + COUNTED_IN], m[q + COUNTED_OUT], m[q + MOST], m[s + OFFERED]
    moves = offers + mask + 1
    while into < last:
        time = m[offers + (into & mask)] - latency
        while out < m[s + MOVED] and m[moves + (out & mask)] < time:
            out += 1
        if out == m[s + MOVED]:
            # when the next one leaves is not known yet
            break
        closed = m[moves + (out & mask)] >= m[offers + (last - 1 & mask)] - latency
        if closed or last - out <= most:
            # none leaves before all are in; or there were as many before
            most = max(most, last - out)
            into, out = last, max(out, last - m[q + DEPTH] - 1)
            break
        if m[s + STEADY] == into:
            # each beat of a token stays just for the latency, besides those of the token before
            before = m[moves + (into - 1 & mask)] - time + 2 if into else 0
            if max(latency + 1, before) <= most:
                into += m[m[s + READER] + PER_TOKEN]
                out = max(out, into - max(before, 0) - latency)
                continue
        into += 1
        most = max(most, into - out)
    m[q + COUNTED_IN], m[q + COUNTED_OUT], m[q + MOST] = into, out, most


@compiled
def queue(m, w, q):
    """All beats whose time is known go in."""
    r, out = m[q + SOURCE], m[q + SINK]
    s = m[r + STREAM]
    count(m, q)
    if m[s + READERS] > 1:
        while put(m, w, q):
            pass
        count(m, q)
        return
    # the same, many at a time
    n, mask, out_mask = m[r + TAKEN], m[s + MASK], m[out + MASK]
    offers, out_offers = m[s + RING], m[out + RING]
    begun, last = n, m[s + LAST]
    while n < m[s + OFFERED]:
        time = _placed(m, q, n, max(m[offers + (n & mask)], last + 1))
        if time == UNKNOWN:
            break
        last = time
        m[offers + mask + 1 + (n & mask)] = time
        m[out_offers + (n & out_mask)] = time + m[q + LATENCY]
        if time > m[offers + (n & mask)]:
            m[s + LATE] = n + 1
        n += 1
        m[r + TAKEN_AT] = time
        leave(m, w, r, 1)
    if n > begun:
        m[r + TAKEN], m[s + MOVED], m[s + LAST] = n, n, last
        m[m[s + PRODUCER]] = 1
        offered(m, out, n)
        count(m, q)


@compiled
def _fork_shown(m, w, r):
    """As ``_beat_shown``. A queue that reads the same stream and could take the beat before, takes it first."""
    s = m[r + STREAM]
    if m[s + MOVED] < m[r + TAKEN]:
        first = m[s + READER]
        for other in range(first, first + m[s + READERS] * READER_SIZE, READER_SIZE):
            if m[other + QUEUE] and m[other + TAKEN] < m[r + TAKEN]:
                put(m, w, m[other + QUEUE])
    return _beat_shown(m, r)


@compiled
def _part_shown(m, w, r):
    """The next part behind the converter to fewer lanes: a beat enters when all parts of the one before are out, and
    its own are offered a cycle later.
    """
    if m[r + NARROW] == 1:
        return _fork_shown(m, w, r)
    if m[r + HELD] == 0:
        shown = _fork_shown(m, w, r)
        if shown == UNKNOWN:
            return UNKNOWN
        time = max(shown, m[r + PART_AT])
        m[r + HELD_END] = m[r + LEFT] == 1
        m[r + HELD] = 1 if m[r + HELD_END] else m[r + NARROW]
        m[r + HELD_AT] = time + 1
        _take_beat(m, w, r, time)
    return max(m[r + HELD_AT], m[r + PART_AT] + 1)


@compiled
def _take_part(m, w, r, time):
    if m[r + NARROW] == 1:
        _take_beat(m, w, r, time)
    else:
        m[r + HELD] -= 1
        m[r + PART_AT] = time


@compiled
def word_shown(m, w, r):
    """The next word behind the converter to more lanes: the part that completes it enters when the word before moves,
    and it is offered a cycle later.
    """
    if m[r + WIDEN] == 1:
        return _part_shown(m, w, r)
    while not m[r + WORD]:
        time = _part_shown(m, w, r)
        if time == UNKNOWN:
            return UNKNOWN
        end = m[r + LEFT] == 1 if m[r + NARROW] == 1 else m[r + HELD_END]
        m[r + PARTS] += 1
        if end or m[r + PARTS] == m[r + WIDEN]:
            time = max(time, m[r + READ_AT])
            m[r + WORD], m[r + WORD_AT], m[r + PARTS] = 1, time + 1, 0
        _take_part(m, w, r, time)
    return m[r + WORD_AT]


@compiled
def take_word(m, w, r, time):
    """The reader takes the word that is shown."""
    m[r + READ_AT] = time
    if m[r + WIDEN] == 1:
        _take_part(m, w, r, time)
    else:
        m[r + WORD] = 0


@compiled
def read_words(m, w, r, most, ready):
    """Takes up to so many words of a token, each as it shows, the first in cycle ``ready`` or later: how many."""
    if m[r + NARROW] == 1 and not m[r + WORD]:
        readers = m[m[r + STREAM] + READERS]
        if readers == 1:
            return _read_straight(m, w, r, most, ready)
        if readers == 2 and m[_other(m, r) + QUEUE]:
            return _read_beside_queue(m, w, r, most, ready)
    for done in range(most):
        time = word_shown(m, w, r)
        if time == UNKNOWN:
            return done
        take_word(m, w, r, max(time, ready) if done == 0 else time)
    return most


@compiled
def _other(m, r):
    """The other reader of a stream with two."""
    first = m[m[r + STREAM] + READER]
    return first + READER_SIZE if r == first else first


@compiled
def straight(m, r):
    """Whether a reader takes the beats of a stream alone and as they are."""
    return m[m[r + STREAM] + READERS] == 1 and m[r + NARROW] == 1 and m[r + WIDEN] == 1


@compiled
def _read_straight(m, w, r, most, ready):
    """``read_words`` of a stream without a fork, whose parts are beats: the same recurrences, many at a time."""
    s = m[r + STREAM]
    n, mask, wide = m[r + TAKEN], m[s + MASK], m[r + WIDEN]
    offers = m[s + RING]
    moves = offers + mask + 1
    begun, time, late = n, m[s + LAST], m[s + LATE]
    words, parts, read = 0, m[r + PARTS], m[r + READ_AT]
    # an end is a word of one part
    last = 1 if m[r + LEFT] == 1 else wide
    stop = min(n + most * last - parts, m[s + OFFERED])
    if wide == 1:
        if n < stop:
            time = max(time, ready - 1)
        words = max(stop - n, 0)
        while n < stop:
            offer = m[offers + (n & mask)]
            time = max(offer, time + 1)
            if time > offer:
                late = n + 1
            m[moves + (n & mask)] = time
            n += 1
        read = time
    while n < stop:
        time = max(m[offers + (n & mask)], time + 1)
        parts += 1
        if parts == last:
            time = max(time, read)
            read = max(time + 1, ready)
            parts, ready = 0, 0
            words += 1
        if time > m[offers + (n & mask)]:
            late = n + 1
        m[moves + (n & mask)] = time
        n += 1
    if n > begun:
        m[s + LATE] = late
        m[r + PARTS], m[r + READ_AT] = parts, read
        m[r + TAKEN], m[r + TAKEN_AT] = n, time
        m[s + MOVED], m[s + LAST] = n, time
        m[m[s + PRODUCER]] = 1
        leave(m, w, r, n - begun)
    return words


@compiled
def _read_beside_queue(m, w, r, most, ready):
    """``read_words`` of a fork of which the other reader is a queue: both take beat after beat, as far as is known."""
    s, other = m[r + STREAM], _other(m, r)
    q = m[other + QUEUE]
    out = m[q + SINK]
    count(m, q)
    n, queued, mask, out_mask = m[r + TAKEN], m[other + TAKEN], m[s + MASK], m[out + MASK]
    offers, out_offers = m[s + RING], m[out + RING]
    moved, last = m[s + MOVED], m[s + LAST]
    begun, before = moved, queued
    words, parts, read, taken = 0, m[r + PARTS], m[r + READ_AT], m[r + TAKEN_AT]
    end = 1 if m[r + LEFT] == 1 else m[r + WIDEN]
    stop = min(n + most * end - parts, m[s + OFFERED])
    start = n
    while True:
        shown = max(m[offers + (moved & mask)], last + 1)
        if queued == moved and queued < m[s + OFFERED]:
            time = _placed(m, q, queued, shown)
            if time != UNKNOWN:
                m[out_offers + (queued & out_mask)] = time + m[q + LATENCY]
                queued += 1
                m[other + TAKEN_AT] = time
                leave(m, w, other, 1)
        if n == moved and n < stop:
            taken = shown
            parts += 1
            if parts == end:
                if m[r + WIDEN] > 1:
                    taken = max(taken, read)
                    read = max(taken + 1, ready)
                else:
                    taken = max(taken, ready)
                    read = taken
                parts, ready = 0, 0
                words += 1
            n += 1
        if n == moved or queued == moved:
            break
        last = max(taken, m[other + TAKEN_AT])
        if last > m[offers + (moved & mask)]:
            m[s + LATE] = moved + 1
        m[offers + mask + 1 + (moved & mask)] = last
        moved += 1
    if queued > before:
        m[other + TAKEN] = queued
        offered(m, out, queued)
    if n > start:
        m[r + PARTS], m[r + READ_AT], m[r + TAKEN], m[r + TAKEN_AT] = parts, read, n, taken
        leave(m, w, r, n - start)
    if moved > begun:
        m[s + MOVED], m[s + LAST] = moved, last
        m[m[s + PRODUCER]] = 1
    return words
