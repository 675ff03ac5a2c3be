"""Elementwise ops, by hand: a beat out for a beat of each input, and none before there is room for it."""

from __future__ import annotations

import pytest

from cosim.cycle import elementwise
from cosim.cycle.op_state import ElementwiseRecord
from tests.cosim.cycle.hand_made import Layout
from tests.support.interpreted import interpreted

run_elementwise = interpreted(elementwise.run_elementwise)


@pytest.mark.parametrize("converted", [False, True], ids=["many at a time", "one by one"])
def test_an_add_takes_both_beats_when_the_later_one_shows(converted: bool) -> None:
    own = Layout(3)
    (a, first), (b, second), (out, _) = own.stream(), own.stream(), own.stream()
    if converted:
        # beats of two lanes, of which each is split: they enter the converter in the cycle before
        first.parts_per_beat = 2
        own.offer(a, -1, 1, 9)
    else:
        own.offer(a, 0, 1, 2, 3)
    own.offer(b, 3, 4, 5, 10)
    op = own.process(ElementwiseRecord, first, second=second.at, out=out.at, depth=2, pipeline=5)
    second.consumer = op.at
    if converted:
        own.w[0] = 6
    run_elementwise(own.m, own.w, op.at)
    # the output queue has two places, and nothing has left it
    assert own.offers(out) == [8, 9]
    own.move(out, 8, 20)
    run_elementwise(own.m, own.w, op.at)
    # there is room again two cycles after a beat has left
    assert own.offers(out) == [8, 9, 15, 27]
    assert own.moves(b) == [3, 4, 10, 22]
    assert (op.busy, op.blocked) == (4, 5 + 11)
