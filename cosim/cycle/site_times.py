"""Sites in work in the cycle simulator: the steps of each site, and the beats that they bring."""

from __future__ import annotations

from cosim.cycle.active_sites import END
from cosim.cycle.arrivals import (
    FILLED,
    SITE,
    SITE_FRAME,
    SITE_LEFT,
    SLOT,
    SLOTS,
    fill_slots,
)
from cosim.cycle.memory import SWEEP, UNKNOWN, compiled
from cosim.cycle.op_times import (
    BEATS,
    BEGUN,
    DEPTH,
    DONE,
    END_APART,
    END_BEATS,
    FREE,
    GROUP,
    GROUPS,
    LAST_END,
    LAST_STEP,
    OUT,
    PIPELINE,
    POSTPONED,
    ROOM_DELAY,
    TAPS,
    WALKS,
    WHOLE_FRAME,
    WORDS,
    begin_site,
    done,
    frame_tokens,
    room,
)
from cosim.cycle.stream_times import LATE, MASK, MOVED, OFFERED, PRODUCER, RING, offered, recall
from cosim.cycle.whole_tokens import pass_site


@compiled
def work(m, w, p):
    """Do what can be done of the site that has begun.

    A round begins when its beats have room, and ends when those of the round before are out. Round r of s steps:
    last[r] = max(first[r] + s - 1, last[r-1] + beats). With ``WHOLE_FRAME`` only an end has beats, those of all rounds.

    Parameters
        m      the accelerator's records
        w      the call's data
        p      the op's record
    Returns    whether the site is done
    """
    s = m[p + OUT]
    if m[p + TAPS] == END:
        return _end(m, p, s)
    walked = max(m[p + TAPS], 1) if m[p + WALKS] else 1
    steps, groups = walked * m[p + WORDS], m[p + GROUPS]
    if m[p + WHOLE_FRAME]:
        return done(m, p, m[p + FREE] + groups * steps - 1, m[p + FREE] + groups * steps - 2, groups * steps)
    if m[p + GROUP] == 0:
        passed = pass_site(m, w, p, steps)
        if passed == 0:
            return True
        if passed == UNKNOWN and (m[p + POSTPONED] == 0 or m[p + POSTPONED] == m[SWEEP]):
            # a reader is behind: in the next sweep it will have done what it can
            m[p + POSTPONED] = m[SWEEP]
            m[m[s + PRODUCER]] = 1
            return False
        recall(m, s)
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
    return group == groups and done(m, p, last, prior, groups * steps)


@compiled
def _end(m, p, s):
    """Do the end of a frame, if it has room: whether it is done."""
    beats, n, mask = m[p + END_BEATS], m[s + OFFERED], m[s + MASK]
    recall(m, s)
    # the sequencer asks for the room of a round for an end as well
    place = room(m, p, s, n, max(beats, m[p + BEATS]))
    if place == UNKNOWN:
        return False
    since = m[p + LAST_END] + m[p + END_APART] if m[p + WHOLE_FRAME] else m[p + LAST_STEP] + m[p + BEATS]
    time = max(m[p + FREE], since, place)
    for beat in range(beats):
        m[m[s + RING] + (n + beat & mask)] = time + m[p + PIPELINE] + beat
    offered(m, s, n + beats)
    m[s + LATE] = n + beats
    m[p + LAST_END] = time
    return done(m, p, time, -1, 1)


@compiled
def tokens(m, w, p):
    """Run a pointwise convolution or a linear op. A token takes a slot as soon as the token that had it has left it.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    the op's record
    """
    while True:
        fill_slots(m, w, p)
        before = m[p + SITE]
        while m[p + SITE] < m[p + FILLED]:
            slot = m[p + SLOT] + (m[p + SITE] & m[p + SLOTS] - 1)
            if not m[p + BEGUN]:
                begin_site(m, p, max(m[slot] + 1, m[p + DONE]), 1 if m[p + SITE_LEFT] else END)
            if not work(m, w, p):
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
