"""Streams of the cycle simulator: when beats are offered and taken, through forks, queues and lane converters.

Beat n of a stream is offered in cycle o[n] by its producer and moves in m[n], the first cycle in which it is offered,
its reader takes it, and the beat before it is gone: m[n] = max(o[n], m[n-1] + 1, what the reader waits for). A fork is
a stream with several readers; each takes a beat when it is ready for it, and m[n] is the last of these times.

A reader sees words: the stream's beats behind up to two lane converters, to fewer lanes and then to more. It asks
``word_shown``, from which cycle the next word stands before it, and says ``take_word``.
"""

from __future__ import annotations

from numba import njit

from cosim.memory import AWAKE, ENDS, FRAMES, PROCESS, TOKENS, UNKNOWN

OFFERED, MOVED, LAST, RING, MASK, READERS, READER, PRODUCER, STREAM_SIZE = range(9)
"""Of a stream: beats offered and moved so far, the time of the last move, the rings of both times (m's behind o's),
the address of the first of its readers, which lie in a row, and of the process that offers.
"""

(
    STREAM, OWNER, QUEUE, TAKEN, TAKEN_AT, FRAME, LEFT, CLASS, PER_TOKEN, EDGE,
    NARROW, HELD, HELD_AT, HELD_END, PART_AT, WIDEN, PARTS, WORD, WORD_AT, READ_AT, READER_SIZE,
) = range(21)  # fmt: skip
"""Of a reader: its stream, its process, and the same again where that is a queue, else 0. Beats taken, the time of the
last, the frame of the next one and how many that has left; the class of its tokens, and the beats of one; the edge
whose ``end`` it notes, or -1.

Its converters: each beat becomes ``NARROW`` parts, of which ``HELD`` are left, offered at ``HELD_AT``, of a frame's
``end`` or not; the last part moved at ``PART_AT``. Of ``WIDEN`` parts, ``PARTS`` are in the register of the next word,
and when it is complete, ``WORD``, it shows at ``WORD_AT``. The last word was taken at ``READ_AT``.
"""


@njit
def offered(m, s, count):
    """So many beats of a stream are offered now."""
    m[s + OFFERED] = count
    first = m[s + READER]
    for r in range(first, first + m[s + READERS] * READER_SIZE, READER_SIZE):
        m[m[r + OWNER] + AWAKE] = 1


@njit
def _moved(m, s, n, time):
    m[m[s + RING] + m[s + MASK] + 1 + (n & m[s + MASK])] = time
    m[s + MOVED] = n + 1
    m[s + LAST] = time
    m[m[s + PRODUCER] + AWAKE] = 1


@njit
def begin_frame(m, w, r, frame):
    """The next beat of a reader is the first of a frame."""
    m[r + FRAME] = frame
    if frame < m[FRAMES]:
        m[r + LEFT] = w[m[TOKENS] + m[r + CLASS] * m[FRAMES] + frame] * m[r + PER_TOKEN] + 1


@njit
def _take_beat(m, w, r, time):
    s, n = m[r + STREAM], m[r + TAKEN]
    m[r + TAKEN] = n + 1
    m[r + TAKEN_AT] = time
    m[r + LEFT] -= 1
    if m[r + LEFT] == 0:
        if m[r + EDGE] >= 0:
            w[m[ENDS] + m[r + EDGE] * m[FRAMES] + m[r + FRAME]] = time
        begin_frame(m, w, r, m[r + FRAME] + 1)
    if m[s + READERS] > 1:
        first = m[s + READER]
        readers = range(first, first + m[s + READERS] * READER_SIZE, READER_SIZE)
        for other in readers:
            if m[other + TAKEN] <= n:
                m[m[other + OWNER] + AWAKE] = 1
                return
            time = max(time, m[other + TAKEN_AT])
        for other in readers:
            if other != r:
                m[m[other + OWNER] + AWAKE] = 1
    _moved(m, s, n, time)


@njit
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


@njit
def put(m, w, q):
    """A beat goes into a queue, if its time is known: m[n] = max(shown, the place of beat n - depth is free).

    Of a queue in LUTs a place is free the cycle after its beat moved out. Of one in block memory it is free when its
    beat shows at the output, which is the memory's register.
    """
    r, s = m[q + SOURCE], m[q + SINK]
    time = _beat_shown(m, r)
    if time == UNKNOWN:
        return False
    n, mask = m[r + TAKEN], m[s + MASK]
    before = n - m[q + DEPTH]
    if before >= 0:
        offers = m[s + RING]
        moves = offers + mask + 1
        if m[q + LATENCY] == 1:
            if m[s + MOVED] <= before:
                return False
            time = max(time, m[moves + (before & mask)] + 1)
        else:
            if m[s + MOVED] < before:
                return False
            time = max(time, m[offers + (before & mask)])
            if before:
                time = max(time, m[moves + (before - 1 & mask)] + 1)
    count(m, q)
    _take_beat(m, w, r, time)
    m[m[s + RING] + (n & mask)] = time + m[q + LATENCY]
    offered(m, s, n + 1)
    return True


@njit
def count(m, q):
    """Notes the most beats a queue held: n + 1 less those that left before beat n came, as a place is free after."""
    s = m[q + SINK]
    mask, offers = m[s + MASK], m[s + RING]
    into, out, most = m[q + COUNTED_IN], m[q + COUNTED_OUT], m[q + MOST]
    while into < m[s + OFFERED]:
        time = m[offers + (into & mask)] - m[q + LATENCY]
        while out < m[s + MOVED] and m[offers + mask + 1 + (out & mask)] < time:
            out += 1
        if out == m[s + MOVED] and out < into:
            # when the next one leaves is not known yet
            break
        into += 1
        most = max(most, into - out)
    m[q + COUNTED_IN], m[q + COUNTED_OUT], m[q + MOST] = into, out, most


@njit
def queue(m, w, q):
    while put(m, w, q):
        pass
    count(m, q)


@njit
def _fork_shown(m, w, r):
    """As ``_beat_shown``. A queue that reads the same stream and could take the beat before, takes it first."""
    s = m[r + STREAM]
    if m[s + MOVED] < m[r + TAKEN]:
        first = m[s + READER]
        for other in range(first, first + m[s + READERS] * READER_SIZE, READER_SIZE):
            if m[other + QUEUE] and m[other + TAKEN] < m[r + TAKEN]:
                put(m, w, m[other + QUEUE])
    return _beat_shown(m, r)


@njit
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


@njit
def _take_part(m, w, r, time):
    if m[r + NARROW] == 1:
        _take_beat(m, w, r, time)
    else:
        m[r + HELD] -= 1
        m[r + PART_AT] = time


@njit
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


@njit
def take_word(m, w, r, time):
    """The reader takes the word that is shown."""
    m[r + READ_AT] = time
    if m[r + WIDEN] == 1:
        _take_part(m, w, r, time)
    else:
        m[r + WORD] = 0


@njit
def read_words(m, w, r, most, ready):
    """Takes up to so many words of a token, each as it shows, the first in cycle ``ready`` or later: how many."""
    for done in range(most):
        time = word_shown(m, w, r)
        if time == UNKNOWN:
            return done
        take_word(m, w, r, max(time, ready) if done == 0 else time)
    return most
