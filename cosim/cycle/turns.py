"""Ops of the cycle simulator that take the tokens of two inputs in turn."""

from __future__ import annotations

from cosim.cycle.input_side import op_tokens
from cosim.cycle.lane_converters import take_word, word_shown
from cosim.cycle.op_state import TurnRecord, room
from cosim.cycle.records import UNKNOWN, HeaderRecord, compiled
from cosim.cycle.streams import ReaderRecord, StreamRecord, offer


@compiled
def begin_turns(m, w, op: TurnRecord, frame):
    """Make the next beat the first of a frame.

    Parameters
        m        the accelerator's records
        w        the call's data
        op       the op
        frame    number of the frame
    """
    op.frame = frame
    op.remaining = op_tokens(m, w, op.reader, frame)


@compiled
def run_turns(m, w, p):
    """Run an op in turns: a beat goes in and one comes out when it shows and the output queue has room.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    address of the op
    """
    op, frames = TurnRecord(m, p), HeaderRecord(m, 0).frames
    a, b, stream = ReaderRecord(m, op.reader), ReaderRecord(m, op.second), StreamRecord(m, op.out)
    while op.frame < frames:
        # both inputs are asked in any case, since asking lets their converters take beats in
        first, second = word_shown(m, w, a), word_shown(m, w, b)
        n = stream.offered
        place = room(m, stream, op.depth, n, 1)
        takes_first, takes_second = op.word < op.words, op.word >= op.words or op.remaining == 0
        late = (takes_first and first == UNKNOWN) or (takes_second and second == UNKNOWN)
        if late or place == UNKNOWN:
            return
        shown = op.free
        if takes_first:
            shown = max(shown, first)
        if takes_second:
            shown = max(shown, second)
        time = max(shown, place)
        if takes_first:
            take_word(m, w, a, time)
        if takes_second:
            take_word(m, w, b, time)
        op.free = time + 1
        op.busy += 1
        op.blocked += time - shown
        m[stream.ring + (n & stream.mask)] = time + op.pipeline
        offer(m, stream, n + 1)
        if op.remaining == 0:
            begin_turns(m, w, op, op.frame + 1)
            continue
        op.word += 1
        if op.word == op.token_words:
            op.word = 0
            op.remaining -= 1
