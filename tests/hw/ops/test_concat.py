"""Concatenations: beats of two inputs in turn, their cycles, and refusals."""

from __future__ import annotations

import pytest

from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import OpMapping
from hw.ops.concat import ConcatOp
from hw.ops.latency import OpLatency
from models.ir.activity import Activity
from models.ir.formats.registry import parse_dtype
from tests.hw.ops.cases import FOLDED, Case
from tests.support.ops import build_op, refusal


def concat(pe: int) -> ConcatOp:
    """Channels 6 and 4, of int4 and uint8."""
    op = build_op(FOLDED["concat"].graph(), OpMapping(pe, pe))
    assert isinstance(op, ConcatOp)
    return op


@pytest.mark.parametrize("pe", [1, 2])
@pytest.mark.parametrize("tokens", [0, 1, 5])
def test_a_token_takes_the_beats_of_both_inputs(pe: int, tokens: int) -> None:
    op = concat(pe)
    assert op.in_beats == (6 // pe, 4 // pe)
    cycles = sum(1 for _ in range(tokens) for _channel in range(0, 10, pe)) + 1
    assert op.cycles(Activity(float(tokens), float(tokens))) == cycles


def test_latency_of_a_frame() -> None:
    """Decode, 7 cycles of a tapered requantizer, and the queue: a beat after 9 cycles, and one more each cycle."""
    op = concat(2)
    assert op.pipeline == 9
    assert op.latency(Activity(6.0, 6.0)) == OpLatency(9, 9, 6 * 5 - 1, 9, 0)
    assert op.latency(Activity(0.0, 0.0)) == OpLatency(9, 9, 0, 9, 0)


def test_lanes_divide_the_channels_of_both_inputs() -> None:
    """The common divisors of 12 and 8 are 1, 2 and 4."""
    case = Case("concat", (2, 3, 12), parse_dtype("int4"), parse_dtype("int4"), parse_dtype("int8"), 8)
    mappings = case.mappings(case.graph())
    assert [(mapping.pe, mapping.simd, mapping.taps) for mapping in mappings] == [(1, 1, 1), (2, 2, 1), (4, 4, 1)]


def test_one_requantizer_holds_the_integers_of_both_formats() -> None:
    """-8 to 7, and 0 to 255."""
    op = concat(2)
    assert op.bounds == (-8, 255)
    assert [part.kind for part in op.parts(FAMILIES["ecp5"])].count("requantizer") == 1


def test_an_output_queue_has_a_place_for_each_beat_on_its_way() -> None:
    """A place is free two cycles after its beat left."""
    assert concat(1).depth == 9 + 2


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        # 3 divides 6, not 4
        (OpMapping(3, 3), "op 'op', field 'pe': 3 does not divide 4 channels; 1, 2, 4 do"),
        # 4 divides 4, not 6
        (OpMapping(4, 4), "op 'op', field 'pe': 4 does not divide 6 channels; 1, 2, 3, 6 do"),
        (OpMapping(2), "op 'op', field 'simd': 1 must be one of (2,)"),
        (OpMapping(2, 2, 4), "op 'op', field 'taps': 4 must be one of (1,)"),
    ],
)
def test_a_mapping_that_does_not_fit_is_named(mapping: OpMapping, message: str) -> None:
    assert refusal(FOLDED["concat"].graph(), mapping) == message
