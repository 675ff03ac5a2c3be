"""Sites in work in the cycle simulator: the steps of each site, and the beats that they bring."""

from __future__ import annotations

from cosim.cycle.active_sites import END
from cosim.cycle.input_side import TokenRecord, fill_slots, op_tokens
from cosim.cycle.op_state import ROOM_DELAY, SiteRecord, begin_site, end_site, room
from cosim.cycle.records import UNKNOWN, HeaderRecord, compiled
from cosim.cycle.streams import StreamRecord, offer, recall
from cosim.cycle.token_fast_path import pass_site


@compiled
def work(m, w, op: SiteRecord):
    """Do what can be done of the site that has begun.

    A round begins when its beats have room, and ends when those of the round before are out. Round r of s steps:
    last[r] = max(first[r] + s - 1, last[r-1] + beats). With ``whole_frame`` only an end has beats, those of all rounds.

    Parameters
        m      the accelerator's records
        w      the call's data
        op     the op
    Returns    whether the site is done
    """
    stream = StreamRecord(m, op.out)
    if op.taps == END:
        return _end(m, op, stream)
    walked = max(op.taps, 1) if op.walks else 1
    steps, folds = walked * op.synapse_folds, op.neuron_folds
    if op.whole_frame:
        return end_site(op, op.free + folds * steps - 1, op.free + folds * steps - 2, folds * steps)
    if op.fold == 0:
        status = pass_site(m, w, op, steps)
        if status == 0:
            return True
        sweep = HeaderRecord(m, 0).sweep
        if status == UNKNOWN and (op.postponed == 0 or op.postponed == sweep):
            # a reader is behind: in the next sweep it will have done what it can
            op.postponed = sweep
            m[stream.producer] = 1
            return False
        recall(m, stream)
    beats, pipeline, mask = op.beats, op.pipeline, stream.mask
    own = max(steps, beats)
    n, fold, free, last = stream.offered, op.fold, op.free, op.last_step
    start, prior = fold, -1
    offers = stream.ring
    moves = offers + mask + 1
    before, moved = n + beats - op.depth, stream.moved
    while fold < folds and before <= moved:
        first = free
        if before > 0:
            first = max(first, m[moves + (before - 1 & mask)] + ROOM_DELAY)
        prior = first + own - 2 if own > 1 else last if fold else -1
        last = max(first + own - 1, last + beats)
        free = last + 1
        for beat in range(beats):
            m[offers + (n + beat & mask)] = last + pipeline + beat
        n += beats
        before += beats
        fold += 1
    if fold > start:
        offer(m, stream, n)
    op.fold, op.free, op.last_step = fold, free, last
    return fold == folds and end_site(op, last, prior, folds * steps)


@compiled
def _end(m, op: SiteRecord, stream: StreamRecord):
    """Do the end of a frame, if it has room: whether it is done."""
    beats, n, mask = op.end_beats, stream.offered, stream.mask
    recall(m, stream)
    # the sequencer asks for the room of a round for an end as well
    place = room(m, stream, op.depth, n, max(beats, op.beats))
    if place == UNKNOWN:
        return False
    since = op.last_end + op.end_interval if op.whole_frame else op.last_step + op.beats
    time = max(op.free, since, place)
    for beat in range(beats):
        m[stream.ring + (n + beat & mask)] = time + op.pipeline + beat
    offer(m, stream, n + beats)
    stream.late = n + beats
    op.last_end = time
    return end_site(op, time, -1, 1)


@compiled
def run_tokens(m, w, p):
    """Run a pointwise convolution or a linear op. A token takes a slot as soon as the token that had it has left it.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    address of the op
    """
    op, site = TokenRecord(m, p), SiteRecord(m, p)
    while True:
        fill_slots(m, w, op)
        before = op.site
        while op.site < op.filled:
            slot = op.slot + (op.site & op.slots - 1)
            if not op.in_work:
                begin_site(site, max(m[slot] + 1, op.done), 1 if op.site_left else END)
            if not work(m, w, site):
                break
            m[slot + op.slots] = op.done
            op.site += 1
            if op.site_left:
                op.site_left -= 1
            else:
                op.site_frame += 1
                op.site_left = op_tokens(m, w, op.reader, op.site_frame)
        if op.site == before:
            return
