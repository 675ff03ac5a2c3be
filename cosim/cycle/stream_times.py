"""Streams of the cycle simulator: when beats are offered and taken, through forks, queues and lane converters.

Beat n of a stream is offered in cycle o[n] by its producer and moves in m[n], the first cycle in which it is offered,
its reader takes it, and the beat before it is gone: m[n] = max(o[n], m[n-1] + 1, what the reader waits for). A fork is
a stream with several readers; each takes a beat when it is ready for it, and m[n] is the last of these times.

A reader sees words: the stream's beats behind up to two lane converters, first to fewer lanes and then to more.
``word_shown`` says from which cycle the next word is there, ``take_word`` takes it.

A token that passes whole (``whole_tokens``) moves at a pace: ``bursts`` bursts of ``burst`` beats, one beat a cycle;
the first beats of consecutive bursts are ``apart`` cycles apart.
"""

from __future__ import annotations

from cosim.cycle.memory import ENDS, FRAMES, PROCESS, TOKENS, UNKNOWN, compiled

(
    OFFERED, MOVED, LAST, LATE, RING, MASK, READERS, READER, PRODUCER, BEFORE,
    PACED, START, APART, BURST, BURSTS, STEADY, STREAM_SIZE,
) = range(17)  # fmt: skip
"""The record of a stream.

PACED to BURSTS are the last token that passed whole. Behind a queue they hold the pace at which it is offered.
Otherwise they hold the pace at which it moved, until ``recall`` writes its times to the ring.

Fields
    OFFERED        beats offered so far
    MOVED          beats moved so far
    LAST           when the last beat moved
    LATE           beats moved so far when one last moved later than it was offered; ON_TIME before that
    RING           address of the ring of offer times; the ring of move times follows it
    MASK           index mask of both rings
    READERS        number of its readers
    READER         address of the first reader; the others follow it
    PRODUCER       address of the flag that wakes the process that offers its beats
    BEFORE         the reader of the queue that offers its beats; 0 without a queue
    PACED          number of the token's first beat; -1 where there is none
    START          when its first beat is offered or moved
    APART          cycles from one burst to the next
    BURST          beats of a burst
    BURSTS         its bursts
    STEADY         behind a queue, first beat of the last token that left it at the pace at which it was offered
    STREAM_SIZE    size of the record
"""

ON_TIME = -1 << 40
"""LATE of a stream whose beats all moved when they were offered."""

(
    STREAM, OWNER, CONSUMER, QUEUE, TAKEN, TAKEN_AT, FRAME, LEFT, CLASS, PER_TOKEN, EDGE,
    NARROW, HELD, HELD_AT, HELD_END, PART_AT, WIDEN, PARTS, WORD, WORD_AT, READ_AT, READER_SIZE,
) = range(22)  # fmt: skip
"""The record of a reader of a stream, with its lane converters.

The converter to fewer lanes splits each beat into parts, which are offered a cycle after the beat entered; the one to
more lanes joins parts to a word, which shows a cycle after its last part entered.

Fields
    STREAM         its stream
    OWNER          address of the flag that wakes its process
    CONSUMER       its process
    QUEUE          its process where that is a queue, otherwise 0
    TAKEN          beats taken so far
    TAKEN_AT       when the last beat was taken
    FRAME          frame of the next beat
    LEFT           beats left of that frame
    CLASS          class of its sites
    PER_TOKEN      beats of a token
    EDGE           number of the edge whose ``end`` times it writes; -1 for none
    NARROW         parts of a beat; 1 without a converter to fewer lanes
    HELD           parts left of the beat in that converter
    HELD_AT        from when these are offered
    HELD_END       whether that beat is an ``end``
    PART_AT        when the last part moved
    WIDEN          parts of a word; 1 without a converter to more lanes
    PARTS          parts of the next word in that converter
    WORD           whether the next word is complete
    WORD_AT        from when it shows
    READ_AT        when the last word was taken
    READER_SIZE    size of the record
"""


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
def recall(m, s):
    """Write the move times of the last token that passed whole to the ring, those of its last beats where not all fit.

    Parameters
        m    the accelerator's records
        s    the stream
    """
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
    """Set the number of beats that a stream has offered, and wake its readers.

    Parameters
        m        the accelerator's records
        s        the stream
        count    beats offered so far
    """
    m[s + OFFERED] = count
    first = m[s + READER]
    for r in range(first, first + m[s + READERS] * READER_SIZE, READER_SIZE):
        m[m[r + OWNER]] = 1


@compiled
def offered_at(m, s, n):
    """When beat n, which is still in the ring, was offered.

    Parameters
        m    the accelerator's records
        s    the stream
        n    number of the beat
    """
    return m[m[s + RING] + (n & m[s + MASK])]


@compiled
def moved_at(m, s, n):
    """When beat n, which is still in the ring, moved.

    Parameters
        m    the accelerator's records
        s    the stream
        n    number of the beat
    """
    return m[m[s + RING] + m[s + MASK] + 1 + (n & m[s + MASK])]


@compiled
def _moved(m, s, n, time):
    """Note that beat n of a stream, the next one, moves in cycle ``time``, and wake its producer."""
    if time > offered_at(m, s, n):
        m[s + LATE] = n + 1
    m[m[s + RING] + m[s + MASK] + 1 + (n & m[s + MASK])] = time
    m[s + MOVED] = n + 1
    m[s + LAST] = time
    m[m[s + PRODUCER]] = 1


@compiled
def begin_frame(m, w, r, frame):
    """Make the next beat of a reader the first of a frame.

    Parameters
        m        the accelerator's records
        w        the call's data
        r        the reader
        frame    number of the frame
    """
    m[r + FRAME] = frame
    if frame < m[FRAMES]:
        m[r + LEFT] = w[m[TOKENS] + m[r + CLASS] * m[FRAMES] + frame] * m[r + PER_TOKEN] + 1


@compiled
def leave(m, w, r, beats):
    """Count beats of one frame that a reader has taken, the last of them at its ``TAKEN_AT``.

    Parameters
        m        the accelerator's records
        w        the call's data
        r        the reader
        beats    how many it has taken
    """
    m[r + LEFT] -= beats
    if m[r + LEFT] == 0:
        if m[r + EDGE] >= 0:
            w[m[ENDS] + m[r + EDGE] * m[FRAMES] + m[r + FRAME]] = m[r + TAKEN_AT]
        begin_frame(m, w, r, m[r + FRAME] + 1)


@compiled
def _take_beat(m, w, r, time):
    """Let a reader take its next beat in cycle ``time``; the beat moves when it is the last reader to do so."""
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
    """The cycle from which the next beat shows at a reader: not before all readers have taken the beat before it."""
    s, n = m[r + STREAM], m[r + TAKEN]
    if m[s + MOVED] < n or m[s + OFFERED] <= n:
        return UNKNOWN
    return max(m[m[s + RING] + (n & m[s + MASK])], m[s + LAST] + 1)


DEPTH, LATENCY, SOURCE, SINK, MOST, COUNTED_IN, COUNTED_OUT, QUEUE_SIZE = range(PROCESS, PROCESS + 8)
"""The record of a queue, which is a process.

Fields
    DEPTH          its depth in beats
    LATENCY        cycles from a beat's entry to its showing at the output
    SOURCE         its reader
    SINK           the stream that it offers
    MOST           the most beats it held
    COUNTED_IN     beats in that are counted for MOST
    COUNTED_OUT    beats out that are counted for MOST
    QUEUE_SIZE     size of the record
"""


@compiled
def _placed(m, q, n, time):
    """When beat n goes into a queue: from cycle ``time`` on, once the place of beat n - depth is free.

    In a queue in LUTs a place is free in the cycle after its beat moved out. In a queue in block memory it is free when
    its beat shows at the output, which is the memory's register.
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
    """Put the next beat into a queue if its time is known.

    Parameters
        m      the accelerator's records
        w      the call's data
        q      the queue
    Returns    whether it went in
    """
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
    """Update the most beats that a queue held.

    When beat n goes in, the queue holds n + 1 beats less those that left before, since a place is free only after its
    beat left.

    Parameters
        m    the accelerator's records
        q    the queue
    """
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
            # no beat leaves before all are in, or the queue held as many before
            most = max(most, last - out)
            into, out = last, max(out, last - m[q + DEPTH] - 1)
            break
        if m[s + STEADY] == into:
            # each beat of the token stays for the latency only; beats of the token before may be there as well
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
    """Run a queue: all beats whose time is known go in.

    Parameters
        m    the accelerator's records
        w    the call's data
        q    the queue
    """
    r, out = m[q + SOURCE], m[q + SINK]
    s = m[r + STREAM]
    count(m, q)
    if m[s + READERS] > 1:
        while put(m, w, q):
            pass
        count(m, q)
        return
    # the same recurrence, many beats at a time
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
    """As ``_beat_shown``; a queue that reads the same stream first takes the beat before, if it can."""
    s = m[r + STREAM]
    if m[s + MOVED] < m[r + TAKEN]:
        first = m[s + READER]
        for other in range(first, first + m[s + READERS] * READER_SIZE, READER_SIZE):
            if m[other + QUEUE] and m[other + TAKEN] < m[r + TAKEN]:
                put(m, w, m[other + QUEUE])
    return _beat_shown(m, r)


@compiled
def _part_shown(m, w, r):
    """The cycle from which the next part behind the converter to fewer lanes shows.

    A beat enters when all parts of the one before it are out; its own parts are offered a cycle later.
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
    """Let a reader take the next part behind its converter to fewer lanes."""
    if m[r + NARROW] == 1:
        _take_beat(m, w, r, time)
    else:
        m[r + HELD] -= 1
        m[r + PART_AT] = time


@compiled
def word_shown(m, w, r):
    """The cycle from which the next word of a reader shows; UNKNOWN where that is not known yet.

    Behind a converter to more lanes, the part that completes a word enters when the word before moves, and the word is
    offered a cycle later.

    Parameters
        m    the accelerator's records
        w    the call's data
        r    the reader
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
    """Take the word that shows at a reader.

    Parameters
        m       the accelerator's records
        w       the call's data
        r       the reader
        time    the cycle in which it is taken
    """
    m[r + READ_AT] = time
    if m[r + WIDEN] == 1:
        _take_part(m, w, r, time)
    else:
        m[r + WORD] = 0


@compiled
def read_words(m, w, r, most, ready):
    """Take words of a token, each as soon as it shows, as far as the times are known.

    Parameters
        m        the accelerator's records
        w        the call's data
        r        the reader
        most     words to take
        ready    the first cycle in which the first of them may be taken
    Returns      how many were taken
    """
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
    """Whether a reader is alone at its stream and has no lane converter.

    Parameters
        m    the accelerator's records
        r    the reader
    """
    return m[m[r + STREAM] + READERS] == 1 and m[r + NARROW] == 1 and m[r + WIDEN] == 1


@compiled
def _read_straight(m, w, r, most, ready):
    """``read_words`` without fork or converter to fewer lanes: the same recurrences, many beats at a time."""
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
    """``read_words`` at a fork whose other reader is a queue: both take beat after beat, as far as times are known."""
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
