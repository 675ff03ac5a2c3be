"""Global pooling, by hand: a beat a cycle in, all beats of a frame out at its end."""

from __future__ import annotations

from cosim.cycle import global_pool
from cosim.cycle.op_state import PoolRecord
from tests.cosim.cycle.hand_made import Layout
from tests.support.interpreted import interpreted

begin_pool, run_global_pool = interpreted(global_pool.begin_pool), interpreted(global_pool.run_global_pool)


def test_the_sums_of_a_frame_wait_for_those_of_the_frame_before() -> None:
    # a frame of two tokens of two beats, then two empty frames
    own = Layout(2, 0, 0)
    (stream, reader), (out, _) = own.stream(per_token=2), own.stream(per_token=3)
    op = own.process(PoolRecord, reader, out=out.at, depth=8, pipeline=4, words=2, end_beats=4)
    begin_pool(own.m, own.w, op, 0)
    own.offer(stream, 0, 1, 2)
    run_global_pool(own.m, own.w, op.at)
    assert (own.moves(stream), own.offers(out), op.busy) == ([0, 1, 2], [], 3)
    own.offer(stream, 5, 6, 7)
    run_global_pool(own.m, own.w, op.at)
    # the end in cycle 6 brings four beats; that of the next frame shows in cycle 7 and is taken when they are out
    assert own.moves(stream) == [0, 1, 2, 5, 6, 10]
    assert own.offers(out) == [10, 11, 12, 13, 14, 15, 16, 17]
    assert (op.busy, op.blocked) == (6, 3)
    own.offer(stream, 11)
    own.move(out, 10, 11, 12, 30)
    run_global_pool(own.m, own.w, op.at)
    # four beats more need the places of the first four
    assert own.moves(stream)[-1] == 32
    assert own.offers(out)[-4:] == [36, 37, 38, 39]
    assert op.pool_frame == 3
