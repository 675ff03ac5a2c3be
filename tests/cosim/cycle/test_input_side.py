"""The input side of ops, by hand: slots for tokens, rows for windows, and frames that are not closed yet."""

from __future__ import annotations

from cosim.cycle import input_side
from cosim.cycle.input_side import TokenRecord, WindowRecord
from cosim.cycle.records import UNKNOWN
from cosim.cycle.streams import StreamRecord
from tests.cosim.cycle.hand_made import Layout
from tests.support.interpreted import interpreted

begin_slots, fill_slots = interpreted(input_side.begin_slots), interpreted(input_side.fill_slots)
slot_ready = interpreted(input_side.slot_ready)
begin_rows, fill_rows = interpreted(input_side.begin_rows), interpreted(input_side.fill_rows)
row_ready = interpreted(input_side.row_ready)


def test_a_token_waits_for_the_slot_of_the_token_before_the_last() -> None:
    own = Layout(3)
    stream, reader = own.stream(per_token=2)
    op = own.process(TokenRecord, reader, token_words=2, slots=2, slot=own.m.rings(2, 2)[0], release=2)
    begin_slots(own.m, own.w, op)
    own.offer(stream, *range(7))
    fill_slots(own.m, own.w, op)
    # two tokens, each offered the cycle after its last word; the third's slot is not free yet
    assert (own.moves(stream), op.filled) == ([0, 1, 2, 3], 2)
    assert [own.m[op.slot + n] for n in range(2)] == [2, 4]
    assert slot_ready(own.m, op) == UNKNOWN
    # the first token's last step is issued in cycle 20
    own.m[op.slot + op.slots] = 20
    op.site = 1
    assert slot_ready(own.m, op) == 22
    fill_slots(own.m, own.w, op)
    assert own.moves(stream) == [0, 1, 2, 3, 22, 23]
    own.m[op.slot + op.slots + 1] = 21
    op.site = 2
    fill_slots(own.m, own.w, op)
    # an end is a token of one word
    assert (own.moves(stream)[-1], op.filled, op.fill_frame) == (24, 4, 1)


def rows_op(own: Layout, **fields: int) -> tuple[WindowRecord, StreamRecord]:
    """An op on windows that stores two rows of three columns, and the stream before it."""
    stream, reader = own.stream(ring=32)
    op = own.process(WindowRecord, reader, token_words=1, width=3, stored=2, release=2, most_ahead=1, **fields)
    op.row, op.row_mask = own.m.rings(1, 2)
    op.close, op.close_mask = own.m.rings(1, 4)
    op.token, op.token_mask = own.m.rings(2, 16)
    begin_rows(own.m, own.w, op, 0)
    return op, stream


def test_a_row_waits_until_the_row_whose_storage_it_gets_is_freed() -> None:
    own = Layout(9, 0)
    op, stream = rows_op(own)
    # a dense generator takes its first frame after the one before the first, which there is not
    own.offer(stream, *range(11))
    fill_rows(own.m, own.w, op)
    assert (own.moves(stream), op.rows, op.starts) == ([0, 1, 2, 3, 4, 5], 2, 1)
    # the first word of the token that waits shows already
    assert (op.firsts, op.lasts) == (7, 6)
    # row 0 is freed in cycle 9: the third row's first token comes in 11
    own.m[op.row], op.freed = 9, 1
    fill_rows(own.m, own.w, op)
    assert own.moves(stream) == [0, 1, 2, 3, 4, 5, 11, 12, 13, 14]
    assert [own.m[op.token + 16 + n] for n in range(10)] == own.moves(stream)
    # the next frame begins when this one is closed
    assert (op.fill_frame, row_ready(own.m, op)) == (1, UNKNOWN)
    own.m[op.close], op.closed = 30, 1
    fill_rows(own.m, own.w, op)
    assert own.moves(stream)[-1] == 31


def test_rows_of_sparse_frames_begin_with_their_first_token() -> None:
    # sites 1, 2 and 7 of a frame three columns wide: rows 0 and 2
    own = Layout(3)
    own.m.header.sites = own.m.header.input
    own.w[own.m.header.sites :][:4] = own.m.header.sites + 1, 1, 2, 7
    op, stream = rows_op(own, sparse=1)
    starts = []
    for time in range(4):
        starts.append((op.starts, op.next_row))
        own.offer(stream, time)
        fill_rows(own.m, own.w, op)
    # an end starts no row
    assert starts == [(1, 3), (0, 3), (1, 9), (0, 9)]
    assert (op.rows, own.moves(stream)) == (2, [0, 1, 2, 3])
