"""Tables of functions: what each lane's memory holds, cycles, mappings, and what they take."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.inputs.ops import random_values
from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import Memory, OpMapping
from hw.ops.latency import OpLatency
from hw.ops.lookup import LookupOp
from models.ir.activity import Activity
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.node import Shape
from models.ir.ops.input import Input
from models.ir.ops.lookup import Lookup
from tests.hw.ops.cases import FOLDED
from tests.support.ops import build_op, refusal


def lookup(rows: int, pe: int, memory: Memory = Memory.LUT) -> LookupOp:
    """int4 to int8, of 6 channels."""
    table = random_values(np.random.default_rng(0), IntType(8), (rows, 16))
    start = Input(name="input", shape=Shape(2, 3, 6), dtype=IntType(4))
    node = Lookup(name="op", inputs=("input",), dtype=IntType(8), source=IntType(4), table=table)
    op = build_op(Graph("one", (start, node), "op"), OpMapping(pe, pe, memory=memory))
    assert isinstance(op, LookupOp)
    return op


@pytest.mark.parametrize("pe", [1, 2, 3, 6])
def test_a_lane_holds_the_rows_of_its_channels_in_turn(pe: int) -> None:
    op = lookup(6, pe)
    codes = op.node.codes()
    for channel in range(6):
        turn, lane = divmod(channel, pe)
        assert op.lane_codes(lane)[16 * turn : 16 * turn + 16].tolist() == codes[channel].tolist()
    assert op.turns == 6 // pe


def test_channels_of_one_function_share_a_row() -> None:
    op = lookup(1, 2)
    assert op.turns == 1
    assert all(op.lane_codes(lane).tolist() == op.node.codes()[0].tolist() for lane in range(2))


def test_cycles_and_latency_of_a_frame() -> None:
    op = lookup(1, 2)
    assert op.cycles(Activity(5.0, 5.0)) == 5 * 3 + 1
    # the address's register, the memory, the queue
    assert op.latency(Activity(5.0, 5.0)) == OpLatency(3, 3, 5 * 3 - 1, 3, 0)


def test_block_memories_hold_what_luts_do_not() -> None:
    f = FAMILIES["xcup"]
    blocks = [part for part in lookup(1, 2, Memory.BRAM).parts(f) if part.kind == "weights"]
    assert len(blocks) == 2
    assert all(part.bram > 0 for part in blocks)
    assert not any(part.bram for part in lookup(1, 2).parts(f))


def test_a_mapping_that_does_not_fit_is_named() -> None:
    graph = FOLDED["lookup"].graph()
    assert refusal(graph, OpMapping(4, 4)) == "op 'op', field 'pe': 4 does not divide 6 channels; 1, 2, 3, 6 do"
    assert refusal(graph, OpMapping(2)) == "op 'op', field 'simd': 1 must be one of (2,)"
