"""Global pooling in the cycle simulator: all beats of a frame come at its end."""

from __future__ import annotations

from cosim.cycle.input_side import op_tokens
from cosim.cycle.lane_converters import read_words, take_word, word_shown
from cosim.cycle.op_state import PoolRecord, room
from cosim.cycle.records import UNKNOWN, HeaderRecord, compiled
from cosim.cycle.streams import ReaderRecord, StreamRecord, offer


@compiled
def begin_pool(m, w, op: PoolRecord, frame):
    """Make the next beat of a global pooling the first of a frame.

    Parameters
        m        the accelerator's records
        w        the call's data
        op       the op
        frame    number of the frame
    """
    op.pool_frame = frame
    op.pool_left = op_tokens(m, w, op.reader, frame) * op.words


@compiled
def run_global_pool(m, w, p):
    """Run a global pooling.

    All beats of a frame go in. At its ``end``, when the beats of the end before are out, the sums come out.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    address of the op
    """
    op = PoolRecord(m, p)
    reader, stream, frames = ReaderRecord(m, op.reader), StreamRecord(m, op.out), HeaderRecord(m, 0).frames
    while op.pool_frame < frames:
        words = read_words(m, w, reader, op.pool_left, 0)
        op.pool_left -= words
        op.busy += words
        if op.pool_left:
            return
        shown = word_shown(m, w, reader)
        n, beats = stream.offered, op.end_beats
        place = room(m, stream, op.depth, n, beats)
        if shown == UNKNOWN or place == UNKNOWN:
            return
        time = max(shown, op.free, place)
        take_word(m, w, reader, time)
        op.free = time + beats
        op.busy += 1
        op.blocked += time - shown
        for beat in range(beats):
            m[stream.ring + (n + beat & stream.mask)] = time + op.pipeline + beat
        offer(m, stream, n + beats)
        begin_pool(m, w, op, op.pool_frame + 1)
