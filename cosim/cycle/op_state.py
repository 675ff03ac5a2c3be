"""What ops of the cycle simulator share: their records, room in the output queue, and the site in work."""

from __future__ import annotations

from cosim.cycle.process import ProcessRecord
from cosim.cycle.records import UNKNOWN, compiled
from cosim.cycle.streams import StreamRecord
from hw.arithmetic.output import ROOM_DELAY


class OpRecord(ProcessRecord):
    """An op of the graph."""

    reader: int  # its first reader
    out: int  # its stream
    depth: int  # depth of its output queue
    pipeline: int  # cycles from a round's last step, or a beat in, to the first beat that it gives at the output
    flows: int  # whether it never waits for room as long as all beats leave when they are offered


class ElementwiseRecord(OpRecord):
    """An op that gives a beat for each beat in."""

    second: int  # second reader of an add, otherwise the first


class TurnRecord(OpRecord):
    """An op that takes the tokens of two inputs in turn."""

    second: int  # its second reader
    words: int  # beats of a token of the first input
    token_words: int  # beats of a token of both
    word: int  # beats of the token in work that are taken
    frame: int  # frame of that token
    remaining: int  # tokens of that frame that are not taken yet
    free: int  # the first cycle for the next beat


class PoolRecord(OpRecord):
    """A global pooling."""

    words: int  # beats of a token in
    end_beats: int  # beats that an end brings
    free: int  # the first cycle for the next end
    pool_frame: int  # the frame that comes in
    pool_left: int  # beats left before its ``end``


class SiteRecord(OpRecord):
    """An op that works on site after site. Its fields up to ``end_interval`` are ``hw.line_buffer.sequencer.Folds``.

    The site at the head of the sequencer is the one whose steps it makes; each step then waits in the step's register
    until it is issued.
    """

    neuron_folds: int  # rounds of a site
    beats: int  # beats of a round
    synapse_folds: int  # words of a round
    walks: int  # whether kernel positions are taken one by one
    whole_frame: int  # whether all beats come at the end of the frame
    end_beats: int  # beats that an end brings
    end_interval: int  # the fewest cycles from one end to the next
    release: int  # cycles from a site's last step to its storage being free
    in_work: int  # whether a site is in work
    start: int  # when that site was at the head of the sequencer and the sites before it were done
    free: int  # the first cycle for the next step of that site
    fold: int  # next neuron fold of that site, which is a round
    taps: int  # active taps of that site, or END
    done: int  # when the last step of the last site was issued
    last_step: int  # when the last step of the last round was issued
    last_end: int  # when the step of the last end was issued
    head_at: int  # when the last site that was handed over came to the head of the sequencer
    left_head_at: int  # when the last step of the last site that is done went from there into the step's register
    postponed: int  # the sweep in which the site in work was put off because a reader was behind; 0 if it was not


@compiled
def room(m, stream: StreamRecord, depth, n, beats):
    """The cycle from which an output queue has room for beats; UNKNOWN where that is not known yet.

    Parameters
        m         the accelerator's records
        stream    the stream behind the queue
        depth     depth of the queue
        n         number of the first of the beats
        beats     how many there are
    """
    before = n + beats - depth
    if before <= 0:
        return 0
    if stream.moved < before:
        return UNKNOWN
    mask = stream.mask
    return m[stream.ring + mask + 1 + (before - 1 & mask)] + ROOM_DELAY


@compiled
def begin_site(op: SiteRecord, start, taps):
    """Begin a site, whose first step can be issued in the cycle after ``start``.

    Parameters
        op       the op
        start    when it is at the head of the sequencer and the sites before it are done
        taps     its active taps, or END
    """
    op.in_work, op.start, op.free, op.fold, op.taps = 1, start, start + 1, 0, taps
    op.blocked -= start + 1
    op.postponed = 0


@compiled
def end_site(op: SiteRecord, time, prior, steps):
    """Note that the last step of a site is issued.

    Parameters
        op       the op
        time     the cycle of that step
        prior    the cycle of the step before it; -1 where there is none
        steps    steps of the site
    Returns      True
    """
    op.in_work, op.done, op.left_head_at = 0, time, max(op.start, prior)
    op.busy += steps
    op.blocked += time + 1 - steps
    return True
