"""Changes of number format on their own: nothing but decoder, requantizer and queue."""

from __future__ import annotations

from hw.arithmetic.codecs.registry import codec
from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import OpMapping
from hw.ops.requantize import RequantizeOp
from tests.hw.ops.cases import FOLDED
from tests.support.ops import build_op, refusal


def test_there_is_one_requantizer_and_nothing_to_combine() -> None:
    op = build_op(FOLDED["requantize"].graph(), OpMapping(2, 2))
    assert isinstance(op, RequantizeOp)
    kinds = [part.kind for part in op.parts(FAMILIES["xcup"])]
    assert kinds == ["elementwise", "operands", "requantizer", "queue", "output"]
    # bits that are added and clipped
    assert op.parts(FAMILIES["xcup"])[0].terms[2:] == (0, 0)
    # decode 1, requantize to a tapered format 7, queue 1
    assert op.pipeline == 9


def test_every_lane_has_an_encoder() -> None:
    """Its requantizer gives codes, not integers that are still to be combined."""
    graph = FOLDED["requantize"].graph()
    (part,) = (part for part in build_op(graph, OpMapping(3, 3)).parts(FAMILIES["ecp5"]) if part.kind == "requantizer")
    assert part.lut >= 3 * codec(graph["op"].dtype).encoder_luts(4) > 0
    # the encoder clips
    assert part.terms[4] == 0


def test_a_mapping_that_does_not_fit_is_named() -> None:
    message = refusal(FOLDED["requantize"].graph(), OpMapping(5, 5))
    assert message == "op 'op', field 'pe': 5 does not divide 6 channels; 1, 2, 3, 6 do"
