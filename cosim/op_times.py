"""What all ops of the cycle simulator are made of: their fields, room in the output queue, and the site in work."""

from __future__ import annotations

from cosim.memory import BLOCKED, BUSY, FRAMES, PROCESS, TOKENS, UNKNOWN, compiled
from cosim.stream_times import CLASS, MASK, MOVED, RING

(
    IN, OUT, DEPTH, PIPELINE, GROUPS, BEATS, WORDS, WALKS, WHOLE_FRAME, END_BEATS, END_APART,
    RELEASE, BEGUN, BEGUN_AT, FREE, GROUP, TAPS, DONE, LAST_STEP, LAST_END, HEADED, LEFT, FLOWS, POSTPONED, SECOND, OP,
) = range(PROCESS, PROCESS + 26)  # fmt: skip
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
def room(m, p, s, n, beats):
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
    m[p + POSTPONED] = 0


@compiled
def done(m, p, time, prior, steps):
    """The last of so many steps is issued in cycle ``time``, the one before it in ``prior``; -1 where there is none."""
    m[p + BEGUN], m[p + DONE], m[p + LEFT] = 0, time, max(m[p + BEGUN_AT], prior)
    m[p + BUSY] += steps
    m[p + BLOCKED] += time + 1 - steps
    return True


@compiled
def frame_tokens(m, w, p, frame):
    """Tokens of a frame at an op's input."""
    return w[m[TOKENS] + m[m[p + IN] + CLASS] * m[FRAMES] + frame] if frame < m[FRAMES] else 0
