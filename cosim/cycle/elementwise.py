"""Elementwise ops and global pooling in the cycle simulator.

An elementwise op gives a beat for each beat in; global pooling gives all its beats at the end of a frame.
"""

from __future__ import annotations

from cosim.cycle.arrivals import POOL_FRAME, POOL_LEFT
from cosim.cycle.memory import BLOCKED, BUSY, FRAMES, UNKNOWN, compiled
from cosim.cycle.op_times import END_BEATS, FREE, IN, OUT, PIPELINE, SECOND, WORDS, frame_tokens, room
from cosim.cycle.stream_times import (
    LAST,
    LATE,
    MASK,
    MOVED,
    OFFERED,
    PRODUCER,
    RING,
    STREAM,
    TAKEN,
    TAKEN_AT,
    leave,
    offered,
    read_words,
    recall,
    straight,
    take_word,
    word_shown,
)  # fmt: skip
from cosim.cycle.whole_tokens import pass_add, pass_adds


@compiled
def elementwise(m, w, p):
    """Run an elementwise op: when all inputs show a beat and the output queue has room, these go in and one comes out.

    A cycle with a beat in is busy; one in which all inputs show a beat that is not taken is blocked.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    the op's record
    """
    a, b, s = m[p + IN], m[p + SECOND], m[p + OUT]
    passed = pass_add(m, w, p)
    if passed > 0:
        pass_adds(m, w, passed)
    recall(m, s)
    if straight(m, a) and straight(m, b):
        _elementwise_straight(m, w, p)
        return
    while True:
        # both inputs are asked in any case, since asking lets their converters take beats in
        shown, other = word_shown(m, w, a), word_shown(m, w, b)
        n = m[s + OFFERED]
        place = room(m, p, s, n, 1)
        if shown == UNKNOWN or other == UNKNOWN or place == UNKNOWN:
            return
        shown = max(shown, other)
        time = max(shown, place)
        take_word(m, w, a, time)
        if b != a:
            take_word(m, w, b, time)
        m[m[s + RING] + (n & m[s + MASK])] = time + m[p + PIPELINE]
        offered(m, s, n + 1)
        m[p + BUSY] += 1
        m[p + BLOCKED] += time - shown


@compiled
def _elementwise_straight(m, w, p):
    """``elementwise`` of inputs without fork or converter: the same recurrence, many beats at a time."""
    a, b, s = m[p + IN], m[p + SECOND], m[p + OUT]
    left, right = m[a + STREAM], m[b + STREAM]
    n, mask, mask_a, mask_b = m[s + OFFERED], m[s + MASK], m[left + MASK], m[right + MASK]
    offers, offers_a, offers_b = m[s + RING], m[left + RING], m[right + RING]
    begun, last, blocked = n, m[left + LAST], 0
    while n < m[left + OFFERED] and n < m[right + OFFERED]:
        place = room(m, p, s, n, 1)
        if place == UNKNOWN:
            break
        shown = max(m[offers_a + (n & mask_a)], m[offers_b + (n & mask_b)], last + 1)
        last = max(shown, place)
        if last > m[offers_a + (n & mask_a)]:
            m[left + LATE] = n + 1
        if last > m[offers_b + (n & mask_b)]:
            m[right + LATE] = n + 1
        blocked += last - shown
        m[offers_a + mask_a + 1 + (n & mask_a)] = last
        m[offers_b + mask_b + 1 + (n & mask_b)] = last
        m[offers + (n & mask)] = last + m[p + PIPELINE]
        n += 1
        m[a + TAKEN_AT] = last
        leave(m, w, a, 1)
        if a != b:
            m[b + TAKEN_AT] = last
            leave(m, w, b, 1)
    if n > begun:
        for r, stream in ((a, left), (b, right)):
            m[r + TAKEN], m[stream + MOVED], m[stream + LAST] = n, n, last
            m[m[stream + PRODUCER]] = 1
        offered(m, s, n)
        m[p + BUSY] += n - begun
        m[p + BLOCKED] += blocked


@compiled
def global_pool(m, w, p):
    """Run a global pooling.

    All beats of a frame go in. At its ``end``, when the beats of the end before are out, the sums come out.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    the op's record
    """
    r, s = m[p + IN], m[p + OUT]
    while m[p + POOL_FRAME] < m[FRAMES]:
        words = read_words(m, w, r, m[p + POOL_LEFT], 0)
        m[p + POOL_LEFT] -= words
        m[p + BUSY] += words
        if m[p + POOL_LEFT]:
            return
        shown = word_shown(m, w, r)
        n, beats = m[s + OFFERED], m[p + END_BEATS]
        place = room(m, p, s, n, beats)
        if shown == UNKNOWN or place == UNKNOWN:
            return
        time = max(shown, m[p + FREE], place)
        take_word(m, w, r, time)
        m[p + FREE] = time + beats
        m[p + BUSY] += 1
        m[p + BLOCKED] += time - shown
        for beat in range(beats):
            m[m[s + RING] + (n + beat & m[s + MASK])] = time + m[p + PIPELINE] + beat
        offered(m, s, n + beats)
        m[p + POOL_FRAME] += 1
        m[p + POOL_LEFT] = frame_tokens(m, w, p, m[p + POOL_FRAME]) * m[p + WORDS]
