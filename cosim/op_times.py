"""Ops of the cycle simulator that work on one site at a time or on whole frames."""

from __future__ import annotations

from numba import njit

from cosim.active_sites import END
from cosim.memory import BLOCKED, BUSY, FRAMES, PROCESS, TOKENS, UNKNOWN
from cosim.stream_times import (
    CLASS,
    MASK,
    MOVED,
    OFFERED,
    READ_AT,
    RING,
    offered,
    read_words,
    take_word,
    word_shown,
)
from hw.source import RELEASE_DELAY

(
    IN, OUT, DEPTH, PIPELINE, GROUPS, BEATS, WORDS, WALKS, WHOLE_FRAME, END_BEATS, END_APART,
    BEGUN, FREE, GROUP, TAPS, DONE, LAST_STEP, LAST_END, OP,
) = range(PROCESS, PROCESS + 19)  # fmt: skip
"""Of an op: its first reader and its stream; its output queue's depth, and the cycles from a step to its beat there;
its rounds (``hw.sequencer.Rounds``). Of the site in work: whether it has begun, the first cycle that is free for it,
its next round, its active taps. Of those before: the last step, the last of a site, and of an ``end``.

Busy is a cycle in which the sequencer issues a step. Blocked is one in which a site stands before it but the step must
wait for room in the output queue, or for the beats of the round before to be out.
"""


@njit
def _room(m, p, s, n, beats):
    """The cycle from which the output queue has room for ``beats`` beats from beat n on."""
    before = n + beats - m[p + DEPTH]
    if before <= 0:
        return 0
    if m[s + MOVED] < before:
        return UNKNOWN
    mask = m[s + MASK]
    return m[m[s + RING] + mask + 1 + (before - 1 & mask)] + 1


@njit
def begin_site(m, p, free, taps):
    """A site with so many active taps, or END, stands before the sequencer from cycle ``free`` on."""
    m[p + BEGUN], m[p + FREE], m[p + GROUP], m[p + TAPS] = 1, free, 0, taps
    m[p + BLOCKED] -= free


@njit
def work(m, p):
    """Does what can be done of the site that has begun; whether it is done.

    A round begins when its beats have room, and ends when those before are out: of steps s a round, last[r] =
    max(first[r] + s - 1, last[r-1] + beats). With ``WHOLE_FRAME`` only an end has beats, those of all rounds.
    """
    s = m[p + OUT]
    if m[p + TAPS] == END:
        return _end(m, p, s)
    walked = max(m[p + TAPS], 1) if m[p + WALKS] else 1
    steps, groups = walked * m[p + WORDS], m[p + GROUPS]
    if m[p + WHOLE_FRAME]:
        return _done(m, p, m[p + FREE] + groups * steps - 1, groups * steps)
    beats, pipeline, mask = m[p + BEATS], m[p + PIPELINE], m[s + MASK]
    own = max(steps, beats)
    n, group, free, last = m[s + OFFERED], m[p + GROUP], m[p + FREE], m[p + LAST_STEP]
    begun = group
    offers = m[s + RING]
    moves = offers + mask + 1
    before, moved = n + beats - m[p + DEPTH], m[s + MOVED]
    while group < groups and before <= moved:
        first = free
        if before > 0:
            first = max(first, m[moves + (before - 1 & mask)] + 1)
        last = max(first + own - 1, last + beats)
        free = last + 1
        for beat in range(beats):
            m[offers + (n + beat & mask)] = last + pipeline + beat
        n += beats
        before += beats
        group += 1
    if group > begun:
        offered(m, s, n)
    m[p + GROUP], m[p + FREE], m[p + LAST_STEP] = group, free, last
    return group == groups and _done(m, p, last, groups * steps)


@njit
def _done(m, p, time, steps):
    m[p + BEGUN], m[p + DONE] = 0, time
    m[p + BUSY] += steps
    m[p + BLOCKED] += time + 1 - steps
    return True


@njit
def _end(m, p, s):
    beats, n, mask = m[p + END_BEATS], m[s + OFFERED], m[s + MASK]
    room = _room(m, p, s, n, beats)
    if room == UNKNOWN:
        return False
    since = m[p + LAST_END] + m[p + END_APART] if m[p + WHOLE_FRAME] else m[p + LAST_STEP] + m[p + BEATS]
    time = max(m[p + FREE], since, room)
    for beat in range(beats):
        m[m[s + RING] + (n + beat & mask)] = time + m[p + PIPELINE] + beat
    offered(m, s, n + beats)
    m[p + LAST_END] = time
    return _done(m, p, time, 1)


TOKEN_WORDS, SLOTS, SLOT, WORD, FILLED, SITE, FILL_FRAME, FILL_LEFT, SITE_FRAME, SITE_LEFT, TOKENS_SIZE = range(
    OP, OP + 11
)
"""Of an op on tokens: the words of one, how many it keeps, and rings of when each could be offered and when its last
step was. Of the token that comes in: how many words are there; its number, its frame, and what that has left. The same
of the site in work.
"""


@njit
def tokens(m, w, p):
    """Pointwise convolution, and linear. A token takes a slot, as soon as the token so many before it has left it."""
    while True:
        _fill(m, w, p)
        before = m[p + SITE]
        while m[p + SITE] < m[p + FILLED]:
            slot = m[p + SLOT] + (m[p + SITE] & m[p + SLOTS] - 1)
            if not m[p + BEGUN]:
                begin_site(m, p, max(m[slot], m[p + DONE]) + 1, 1 if m[p + SITE_LEFT] else END)
            if not work(m, p):
                break
            m[slot + m[p + SLOTS]] = m[p + DONE]
            m[p + SITE] += 1
            if m[p + SITE_LEFT]:
                m[p + SITE_LEFT] -= 1
            else:
                m[p + SITE_FRAME] += 1
                m[p + SITE_LEFT] = frame_tokens(m, w, p, m[p + SITE_FRAME])
        if m[p + SITE] == before:
            return


@njit
def _fill(m, w, p):
    r = m[p + IN]
    while m[p + FILL_FRAME] < m[FRAMES]:
        number, slots = m[p + FILLED], m[p + SLOTS]
        slot = m[p + SLOT] + (number & slots - 1)
        ready = 0
        if number >= slots:
            if m[p + SITE] <= number - slots:
                # a converter before it takes beats in all the same
                word_shown(m, w, r)
                return
            ready = m[slot + slots] + RELEASE_DELAY
        words = m[p + TOKEN_WORDS] if m[p + FILL_LEFT] else 1
        m[p + WORD] += read_words(m, w, r, words - m[p + WORD], 0 if m[p + WORD] else ready)
        if m[p + WORD] < words:
            return
        m[slot] = m[r + READ_AT] + 1
        m[p + WORD] = 0
        m[p + FILLED] += 1
        if m[p + FILL_LEFT]:
            m[p + FILL_LEFT] -= 1
        else:
            m[p + FILL_FRAME] += 1
            m[p + FILL_LEFT] = frame_tokens(m, w, p, m[p + FILL_FRAME])


@njit
def frame_tokens(m, w, p, frame):
    """Tokens of a frame at an op's input."""
    return w[m[TOKENS] + m[m[p + IN] + CLASS] * m[FRAMES] + frame] if frame < m[FRAMES] else 0


SECOND, ELEMENTWISE_SIZE = range(OP, OP + 2)
"""Of an elementwise op: its second reader, or its first one again."""


@njit
def elementwise(m, w, p):
    """A beat of each input in, when all show and the queue has room; one out. Busy is a cycle with a beat in, blocked
    one in which all inputs show.
    """
    a, b, s = m[p + IN], m[p + SECOND], m[p + OUT]
    while True:
        # both are asked in any case, as their converters take beats in on their own
        shown, other = word_shown(m, w, a), word_shown(m, w, b)
        n = m[s + OFFERED]
        room = _room(m, p, s, n, 1)
        if shown == UNKNOWN or other == UNKNOWN or room == UNKNOWN:
            return
        shown = max(shown, other)
        time = max(shown, room)
        take_word(m, w, a, time)
        if b != a:
            take_word(m, w, b, time)
        m[m[s + RING] + (n & m[s + MASK])] = time + m[p + PIPELINE]
        offered(m, s, n + 1)
        m[p + BUSY] += 1
        m[p + BLOCKED] += time - shown


POOL_FRAME, POOL_LEFT, POOL_SIZE = range(OP, OP + 3)
"""Of global pooling: the frame that comes in, and how many beats before its end are left."""


@njit
def global_pool(m, w, p):
    """All beats of a frame in; at its end, when those of the end before are out, the sums out."""
    r, s = m[p + IN], m[p + OUT]
    while m[p + POOL_FRAME] < m[FRAMES]:
        words = read_words(m, w, r, m[p + POOL_LEFT], 0)
        m[p + POOL_LEFT] -= words
        m[p + BUSY] += words
        if m[p + POOL_LEFT]:
            return
        shown = word_shown(m, w, r)
        n, beats = m[s + OFFERED], m[p + END_BEATS]
        room = _room(m, p, s, n, beats)
        if shown == UNKNOWN or room == UNKNOWN:
            return
        time = max(shown, m[p + FREE], room)
        take_word(m, w, r, time)
        m[p + FREE] = time + beats
        m[p + BUSY] += 1
        m[p + BLOCKED] += time - shown
        for beat in range(beats):
            m[m[s + RING] + (n + beat & m[s + MASK])] = time + m[p + PIPELINE] + beat
        offered(m, s, n + beats)
        m[p + POOL_FRAME] += 1
        m[p + POOL_LEFT] = frame_tokens(m, w, p, m[p + POOL_FRAME]) * m[p + WORDS]
