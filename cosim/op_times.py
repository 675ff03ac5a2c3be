"""Ops of the cycle simulator that work on one site at a time or on whole frames."""

from __future__ import annotations

from cosim.active_sites import END
from cosim.memory import BLOCKED, BUSY, FRAMES, PROCESS, TOKENS, UNKNOWN, compiled
from cosim.stream_times import (
    CLASS,
    LAST,
    MASK,
    MOVED,
    OFFERED,
    PRODUCER,
    READ_AT,
    RING,
    STREAM,
    TAKEN,
    TAKEN_AT,
    leave,
    offered,
    read_words,
    straight,
    take_word,
    word_shown,
)

(
    IN, OUT, DEPTH, PIPELINE, GROUPS, BEATS, WORDS, WALKS, WHOLE_FRAME, END_BEATS, END_APART,
    RELEASE, BEGUN, BEGUN_AT, FREE, GROUP, TAPS, DONE, LAST_STEP, LAST_END, HEADED, LEFT, OP,
) = range(PROCESS, PROCESS + 23)  # fmt: skip
"""Of an op: its first reader and its stream; its output queue's depth, and the cycles from a step to its beat there;
its rounds (``hw.sequencer.Rounds``), and the cycles from a site's last step to its storage being free. Of the site in
work: whether it has begun, and when, the first cycle that is free for it, its next round, its active taps. Of those
before: the last step of a site, of a round, and of an ``end``. When the last site came to the head of the sequencer,
and when its last step left that for the step's register.

Busy is a cycle in which the sequencer issues a step. Blocked is one in which it holds a step that must wait for room in
the output queue, or for the beats of the round before to be out.
"""

ROOM_DELAY = 2
"""Cycles from a beat's leaving an op to its place's being free for another."""


@compiled
def _room(m, p, s, n, beats):
    """The cycle from which the output queue has room for ``beats`` beats from beat n on."""
    before = n + beats - m[p + DEPTH]
    if before <= 0:
        return 0
    if m[s + MOVED] < before:
        return UNKNOWN
    mask = m[s + MASK]
    return m[m[s + RING] + mask + 1 + (before - 1 & mask)] + ROOM_DELAY


@compiled
def begin_site(m, p, begun, taps):
    """A site with so many active taps, or END, is at the head of the sequencer, and those before it are done, from
    cycle ``begun`` on: its first step can be issued in the next.
    """
    m[p + BEGUN], m[p + BEGUN_AT], m[p + FREE], m[p + GROUP], m[p + TAPS] = 1, begun, begun + 1, 0, taps
    m[p + BLOCKED] -= begun + 1


@compiled
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
        return _done(m, p, m[p + FREE] + groups * steps - 1, m[p + FREE] + groups * steps - 2, groups * steps)
    beats, pipeline, mask = m[p + BEATS], m[p + PIPELINE], m[s + MASK]
    own = max(steps, beats)
    n, group, free, last = m[s + OFFERED], m[p + GROUP], m[p + FREE], m[p + LAST_STEP]
    begun, prior = group, -1
    offers = m[s + RING]
    moves = offers + mask + 1
    before, moved = n + beats - m[p + DEPTH], m[s + MOVED]
    while group < groups and before <= moved:
        first = free
        if before > 0:
            first = max(first, m[moves + (before - 1 & mask)] + ROOM_DELAY)
        prior = first + own - 2 if own > 1 else last if group else -1
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
    return group == groups and _done(m, p, last, prior, groups * steps)


@compiled
def _done(m, p, time, prior, steps):
    """The last of so many steps is issued in cycle ``time``, the one before it in ``prior``; -1 where there is none."""
    m[p + BEGUN], m[p + DONE], m[p + LEFT] = 0, time, max(m[p + BEGUN_AT], prior)
    m[p + BUSY] += steps
    m[p + BLOCKED] += time + 1 - steps
    return True


@compiled
def _end(m, p, s):
    beats, n, mask = m[p + END_BEATS], m[s + OFFERED], m[s + MASK]
    # it asks for the room of a round
    room = _room(m, p, s, n, max(beats, m[p + BEATS]))
    if room == UNKNOWN:
        return False
    since = m[p + LAST_END] + m[p + END_APART] if m[p + WHOLE_FRAME] else m[p + LAST_STEP] + m[p + BEATS]
    time = max(m[p + FREE], since, room)
    for beat in range(beats):
        m[m[s + RING] + (n + beat & mask)] = time + m[p + PIPELINE] + beat
    offered(m, s, n + beats)
    m[p + LAST_END] = time
    return _done(m, p, time, -1, 1)


TOKEN_WORDS, SLOTS, SLOT, WORD, FILLED, SITE, FILL_FRAME, FILL_LEFT, SITE_FRAME, SITE_LEFT, TOKENS_SIZE = range(
    OP, OP + 11
)
"""Of an op on tokens: the words of one, how many it keeps, and rings of when each could be offered and when its last
step was. Of the token that comes in: how many words are there; its number, its frame, and what that has left. The same
of the site in work.
"""


@compiled
def tokens(m, w, p):
    """Pointwise convolution, and linear. A token takes a slot, as soon as the token so many before it has left it."""
    while True:
        _fill(m, w, p)
        before = m[p + SITE]
        while m[p + SITE] < m[p + FILLED]:
            slot = m[p + SLOT] + (m[p + SITE] & m[p + SLOTS] - 1)
            if not m[p + BEGUN]:
                begin_site(m, p, max(m[slot] + 1, m[p + DONE]), 1 if m[p + SITE_LEFT] else END)
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


@compiled
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
            ready = m[slot + slots] + m[p + RELEASE]
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


@compiled
def frame_tokens(m, w, p, frame):
    """Tokens of a frame at an op's input."""
    return w[m[TOKENS] + m[m[p + IN] + CLASS] * m[FRAMES] + frame] if frame < m[FRAMES] else 0


SECOND, ELEMENTWISE_SIZE = range(OP, OP + 2)
"""Of an elementwise op: its second reader, or its first one again."""


@compiled
def elementwise(m, w, p):
    """A beat of each input in, when all show and the queue has room; one out. Busy is a cycle with a beat in, blocked
    one in which all inputs show.
    """
    a, b, s = m[p + IN], m[p + SECOND], m[p + OUT]
    if straight(m, a) and straight(m, b):
        _elementwise_straight(m, w, p)
        return
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


@compiled
def _elementwise_straight(m, w, p):
    """``elementwise`` without converters: the same recurrence, many beats at a time."""
    a, b, s = m[p + IN], m[p + SECOND], m[p + OUT]
    left, right = m[a + STREAM], m[b + STREAM]
    n, mask, mask_a, mask_b = m[s + OFFERED], m[s + MASK], m[left + MASK], m[right + MASK]
    offers, offers_a, offers_b = m[s + RING], m[left + RING], m[right + RING]
    begun, last, blocked = n, m[left + LAST], 0
    while n < m[left + OFFERED] and n < m[right + OFFERED]:
        room = _room(m, p, s, n, 1)
        if room == UNKNOWN:
            break
        shown = max(m[offers_a + (n & mask_a)], m[offers_b + (n & mask_b)], last + 1)
        last = max(shown, room)
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


POOL_FRAME, POOL_LEFT, POOL_SIZE = range(OP, OP + 3)
"""Of global pooling: the frame that comes in, and how many beats before its end are left."""


@compiled
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
