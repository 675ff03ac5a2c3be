"""What all ops of the cycle simulator share: their fields, room in the output queue, and the site in work."""

from __future__ import annotations

from cosim.cycle.memory import BLOCKED, BUSY, FRAMES, PROCESS, TOKENS, UNKNOWN, compiled
from cosim.cycle.stream_times import CLASS, MASK, MOVED, RING

(
    IN, OUT, DEPTH, PIPELINE, GROUPS, BEATS, WORDS, WALKS, WHOLE_FRAME, END_BEATS, END_APART,
    RELEASE, BEGUN, BEGUN_AT, FREE, GROUP, TAPS, DONE, LAST_STEP, LAST_END, HEADED, LEFT, FLOWS, POSTPONED, SECOND, OP,
) = range(PROCESS, PROCESS + 26)  # fmt: skip
"""The record of an op, which is a process.

GROUPS to END_APART are its rounds (``hw.line_buffer.sequencer.Rounds``). The site at the head of the sequencer is the
one whose steps it makes; each step then waits in the step's register until it is issued.

Fields
    IN             its first reader
    OUT            its stream
    DEPTH          depth of its output queue
    PIPELINE       cycles from a round's last step, or a beat in, to the first beat that it gives at the output
    GROUPS         rounds of a site
    BEATS          beats of a round
    WORDS          words of a round; of a global pooling, beats of a token
    WALKS          whether kernel positions are taken one by one
    WHOLE_FRAME    whether all beats come at the end of the frame
    END_BEATS      beats that an end brings
    END_APART      the fewest cycles from one end to the next
    RELEASE        cycles from a site's last step to its storage being free
    BEGUN          whether a site is in work
    BEGUN_AT       when that site was at the head of the sequencer and the sites before it were done
    FREE           the first cycle for the next step of that site; of a global pooling, for the next end
    GROUP          next round of that site
    TAPS           active taps of that site, or END
    DONE           when the last step of the last site was issued
    LAST_STEP      when the last step of the last round was issued
    LAST_END       when the step of the last end was issued
    HEADED         when the last site that was handed over came to the head of the sequencer
    LEFT           when the last step of the last site that is done went from there into the step's register
    FLOWS          whether rounds never wait for room as long as all beats leave when they are offered
    POSTPONED      the sweep in which the site in work was put off because a reader was behind; 0 if it was not
    SECOND         second reader of an add, otherwise the first
    OP             where the fields of the kind of op begin
"""

ROOM_DELAY = 2
"""Cycles from when a beat leaves an op until its place is free for another."""


@compiled
def room(m, p, s, n, beats):
    """The cycle from which the output queue has room for beats; UNKNOWN where that is not known yet.

    Parameters
        m        the accelerator's records
        p        the op's record
        s        the op's stream
        n        number of the first of the beats
        beats    how many there are
    """
    before = n + beats - m[p + DEPTH]
    if before <= 0:
        return 0
    if m[s + MOVED] < before:
        return UNKNOWN
    mask = m[s + MASK]
    return m[m[s + RING] + mask + 1 + (before - 1 & mask)] + ROOM_DELAY


@compiled
def begin_site(m, p, begun, taps):
    """Begin a site, whose first step can be issued in the cycle after ``begun``.

    Parameters
        m        the accelerator's records
        p        the op's record
        begun    when it is at the head of the sequencer and the sites before it are done
        taps     its active taps, or END
    """
    m[p + BEGUN], m[p + BEGUN_AT], m[p + FREE], m[p + GROUP], m[p + TAPS] = 1, begun, begun + 1, 0, taps
    m[p + BLOCKED] -= begun + 1
    m[p + POSTPONED] = 0


@compiled
def done(m, p, time, prior, steps):
    """Note that the last step of a site is issued.

    Parameters
        m        the accelerator's records
        p        the op's record
        time     the cycle of that step
        prior    the cycle of the step before it; -1 where there is none
        steps    steps of the site
    Returns      True
    """
    m[p + BEGUN], m[p + DONE], m[p + LEFT] = 0, time, max(m[p + BEGUN_AT], prior)
    m[p + BUSY] += steps
    m[p + BLOCKED] += time + 1 - steps
    return True


@compiled
def frame_tokens(m, w, p, frame):
    """Tokens of a frame at an op's input; 0 after the last frame.

    Parameters
        m        the accelerator's records
        w        the call's data
        p        the op's record
        frame    number of the frame
    """
    return w[m[TOKENS] + m[m[p + IN] + CLASS] * m[FRAMES] + frame] if frame < m[FRAMES] else 0
