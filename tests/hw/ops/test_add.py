"""Residual adds: the limits of their sums, what they take, and refusals."""

from __future__ import annotations

import pytest

from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import OpMapping
from hw.ops.add import AddOp
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from tests.hw.ops.cases import FOLDED, Case
from tests.support.ops import build_op, refusal


def add(name: str, pe: int = 2) -> AddOp:
    dtype = parse_dtype(name)
    op = build_op(Case("add", (2, 3, 6), IntType(4), IntType(8), dtype).graph(), OpMapping(pe, pe))
    assert isinstance(op, AddOp)
    return op


def test_integers_are_clipped_to_their_format_and_others_to_twice_their_values() -> None:
    """The encoder of a tapered format rounds, so the sums keep a bit below one unit."""
    assert add("int8").limits == (-128, 127)
    assert add("uint4").limits == (0, 15)
    # unsigned 4-bit DyBit reaches 8 in units of an eighth
    assert add("udybit4").limits == (0, 2 * 64)


@pytest.mark.parametrize(
    ("name", "added", "clipped", "registers"),
    [
        # two lanes of 8 bits; the sum of unsigned numbers has no sign bit
        ("int8", 2 * 8, 2 * 8, 2 * 8),
        ("uint4", 2 * 4, 2 * 4, 2 * 4),
        # 0 to 128 are 8 bits, and the code of a lane has 4 registers more; the encoder clips
        ("udybit4", 2 * 8, 0, 2 * 8 + 2 * 4),
    ],
)
def test_bits_of_the_combiner(name: str, added: int, clipped: int, registers: int) -> None:
    bits_added, bits_clipped, encoders, ff = add(name).combiner_counts(FAMILIES["xcup"])
    assert (bits_added, bits_clipped, ff) == (added, clipped, registers)
    # integers are their own codes
    assert (encoders > 0) == name.startswith("udybit")


def test_each_branch_has_a_requantizer() -> None:
    op = add("int8")
    assert op.branches == (op.node.a, op.node.b)
    assert [part.kind for part in op.parts(FAMILIES["ecp5"])].count("requantizer") == 2


@pytest.mark.parametrize(("name", "pipeline"), [("int8", 1 + 6 + 1 + 1), ("udybit4", 1 + 6 + 2 + 1)])
def test_pipeline_is_decode_requantize_sum_encode_and_queue(name: str, pipeline: int) -> None:
    assert add(name).pipeline == pipeline


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (OpMapping(4, 4), "op 'op', field 'pe': 4 does not divide 6 channels; 1, 2, 3, 6 do"),
        (OpMapping(2), "op 'op', field 'simd': 1 must be one of (2,)"),
        (OpMapping(2, 2, 9), "op 'op', field 'taps': 9 must be one of (1,)"),
    ],
)
def test_a_mapping_that_does_not_fit_is_named(mapping: OpMapping, message: str) -> None:
    assert refusal(FOLDED["add"].graph(), mapping) == message


def test_both_inputs_have_a_name_and_the_same_lanes() -> None:
    op = add("int8", 3)
    assert op.input_names == ("a", "b")
    assert op.in_beats == (2, 2)
    assert op.out_lanes == 3
