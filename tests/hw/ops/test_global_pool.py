"""Global pooling: cycles, latency and queue by hand, the width of its sums, and refusals."""

from __future__ import annotations

import pytest

from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import OpMapping
from hw.ops.global_pool import GlobalPoolOp
from hw.ops.latency import OpLatency
from models.ir.activity import Activity
from models.ir.formats.integer import IntType
from tests.hw.ops.cases import FOLDED, Case
from tests.support.ops import build_op, refusal


def pool(pe: int) -> GlobalPoolOp:
    """3 x 2 sites, 6 channels of uint8."""
    op = build_op(FOLDED["global_pool"].graph(), OpMapping(pe, pe))
    assert isinstance(op, GlobalPoolOp)
    return op


@pytest.mark.parametrize(
    ("pe", "tokens", "cycles"),
    # 6/pe beats a token and the end; between two ends the beats of a result and its end leave
    [(1, 6, 37), (2, 6, 19), (6, 6, 7), (1, 0, 7), (2, 0, 4), (6, 0, 2), (2, 1, 4)],
)
def test_cycles_of_a_frame(pe: int, tokens: int, cycles: int) -> None:
    assert pool(pe).cycles(Activity(float(tokens), 1.0)) == cycles


def test_latency_is_that_of_a_timeline() -> None:
    """4 tokens of 3 beats come in cycles 0 to 11, ``end`` in cycle 12; the first of 3 beats leaves after it."""
    op = pool(2)
    last_beat, end = 11, 12
    first_output = end + op.pipeline
    figures = op.latency(Activity(4.0, 1.0))
    assert figures == OpLatency(first_output - last_beat, first_output, 2, first_output + 2 - last_beat, 0)


def test_pipeline_is_decoder_accumulators_requantizer_and_queue() -> None:
    case = Case("global_pool", (3, 2, 6), IntType(8), IntType(8), IntType(8))
    assert build_op(case.graph(), OpMapping(1, 1)).pipeline == 1 + 1 + 6 + 1
    # the encoder of a tapered format takes a cycle more
    assert pool(1).pipeline == 1 + 1 + 7 + 1


def test_sums_hold_a_frame_of_the_largest_value() -> None:
    assert pool(1).accumulator == (0, 6 * 255)


@pytest.mark.parametrize("pe", [1, 2, 3, 6])
def test_room_for_the_results_on_their_way(pe: int) -> None:
    """A frame reserves all its places at its end; they are free two cycles after the last beat has left."""
    op = pool(pe)
    beats = 6 // pe + 1
    period = max(6 * (6 // pe) + 1, beats)
    reserved = [range(end, end + op.pipeline + beats + 2) for end in range(0, 20 * period, period)]
    frames = max(sum(cycle in span for span in reserved) for cycle in range(20 * period))
    assert op.depth == frames * beats


def test_the_result_has_no_place() -> None:
    """It is the one token of a frame: bits of y and x are 0, so the serializer carries valid and end only."""
    (drain,) = (part for part in pool(1).parts(FAMILIES["ecp5"]) if part.kind == "drain")
    # seven stages of the requantizer; of 6 beats of constants the number has 3 bits
    assert drain.ff == 7 * 2 + 3


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (OpMapping(4, 4), "op 'op', field 'pe': 4 does not divide 6 channels; 1, 2, 3, 6 do"),
        (OpMapping(2), "op 'op', field 'simd': 1 must be one of (2,)"),
        (OpMapping(2, 2, 4), "op 'op', field 'taps': 4 must be one of (1,)"),
    ],
)
def test_a_mapping_that_does_not_fit_is_named(mapping: OpMapping, message: str) -> None:
    assert refusal(FOLDED["global_pool"].graph(), mapping) == message
