"""The rules of a join: both inputs move together, and every pair of beats becomes one, in order."""

from __future__ import annotations

import pytest
from amaranth.hdl import Assert, Assume, Cat, Module, Mux, Value

from hw.fpga.mapping import OpMapping
from hw.ops.add import AddOp
from hw.ops.op import Tensor
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.ops.add import Add
from models.ir.requant import Requant
from tests.formal.prove import proven
from tests.formal.rules import in_order, moved, offer, take

CODES = IntType(2, False)


def join_rules(*, second: bool) -> tuple[Module, int]:
    """(harness of an add of two streams of 2-bit codes, cycles from a pair to its sum).

    Without ``second`` the rules expect the first branch alone, which an add does not give.
    """
    same = Requant.identity(1, CODES.min, CODES.max)
    node = Add(name="op", inputs=("x", "y"), dtype=CODES, a=same, b=same, lo=CODES.min, hi=CODES.max)
    shape = Shape(2, 2, 1)
    op = AddOp(node, (Tensor(shape, CODES),) * 2, OpMapping())
    m = Module()
    m.submodules.dut = dut = op.component()
    a, b, o = dut.a, dut.b, dut.o
    offer(m, a)
    offer(m, b)
    take(m, o)
    p, q = a.payload, b.payload
    both = a.valid & b.valid
    m.d.comb += [
        Assume(~both | (Cat(p.end, p.y, p.x) == Cat(q.end, q.y, q.x))),
        Assume(~a.valid | ~p.end | (p.features[0] == 0)),
        Assume(~b.valid | ~q.end | (q.features[0] == 0)),
        Assert(moved(a) == moved(b)),
    ]
    total = Value.cast(p.features[0]) + (q.features[0] if second else 0)
    expected = Cat(p.end, p.y, p.x, Mux(total > CODES.max, CODES.max, total)[: CODES.width])
    in_order(m, moved(a), [expected], 1, o, Value.cast(o.payload), op.depth, op.pipeline)
    return m, op.pipeline


@pytest.mark.parametrize("after", [6, pytest.param(10, marks=pytest.mark.slow)])
def test_join(after: int) -> None:
    """Nothing moves alone, nothing is lost, and the sums come in order within the pipeline's cycles."""
    m, pipeline = join_rules(second=True)
    assert proven(m, pipeline + after)


def test_a_join_that_forgets_a_branch_is_refuted() -> None:
    m, pipeline = join_rules(second=False)
    assert not proven(m, pipeline + 2)
