"""Linear layers: cycles and latency by hand, the order of the weights walked step by step, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.ops.latency import OpLatency
from hw.ops.linear import LinearOp
from models.ir.activity import Activity
from models.ir.formats.integer import IntType
from models.ir.ops.linear import Linear
from tests.hw.ops.cases import FOLDED, Case, masked_frame
from tests.support.ops import build_op, refusal


@pytest.mark.parametrize(
    ("pe", "simd", "tokens", "cycles"),
    [
        # 4 input channels, 6 outputs: a token takes 4/simd * 6/pe cycles, the end one more
        (1, 1, 6, 6 * 24 + 1),
        (2, 4, 6, 6 * 3 + 1),
        (6, 4, 6, 6 + 1),
        # the 6/pe beats of the result and its end leave before the next result does
        (1, 1, 0, 7),
        (2, 1, 0, 4),
        (6, 4, 1, 2),
    ],
)
def test_cycles_of_a_frame(pe: int, simd: int, tokens: int, cycles: int) -> None:
    op = build_op(FOLDED["linear"].graph(), OpMapping(pe, simd))
    assert op.cycles(Activity(float(tokens), 1.0)) == cycles


def test_the_words_of_weights_walked_step_by_step_give_the_sums() -> None:
    """Site by site, fold by fold, input word by input word: one memory word a step."""
    case = FOLDED["linear"]
    graph = case.graph()
    node = graph["op"]
    assert isinstance(node, Linear)
    frame = masked_frame(case.rng, graph, np.ones((2, 3), dtype=bool))
    (expected,) = node.accumulate(frame).features
    for pe, simd in [(1, 1), (2, 2), (3, 4), (6, 1)]:
        op = build_op(graph, OpMapping(pe, simd))
        assert isinstance(op, LinearOp)
        memory = iter(op.weight_words())
        sums = np.zeros(6, dtype=np.int64)
        for site in range(6):
            for fold in range(0, 6, pe):
                for word in range(0, 4, simd):
                    lanes = next(memory).reshape(pe, simd)
                    sums[fold : fold + pe] += lanes @ frame.features[site, word : word + simd]
        assert not list(memory)
        assert sums.tolist() == expected.tolist()


def test_latency_is_that_of_a_timeline() -> None:
    """Tokens of 2 beats that take 4/2 * 6/3 cycles each: the steps, not the input, set the pace."""
    op = build_op(FOLDED["linear"].graph(), OpMapping(3, 2))
    assert op.start == 3
    # two beats: of the 6 outputs 3 at a time
    first = op.start + 6 * 4 + op.pipeline
    fill = op.start + 4 + op.pipeline
    assert op.latency(Activity(6.0, 1.0)) == OpLatency(fill, first, 1, fill + 1, 0)


def test_pipeline_is_the_registers_on_the_way() -> None:
    """One 8 x 8 bit product in a DSP block: read 2, operands 1, product 1, sum 1, frame 1, requantizer 6, queue 1."""
    case = Case("linear", (1, 1, 1), IntType(8), IntType(8), IntType(8), 1)
    op = build_op(case.graph(), OpMapping(1, 1, 1, Memory.LUT, Multiplier.DSP))
    assert op.pipeline == 2 + (1 + 1 + 1) + 1 + 6 + 1


def test_the_sums_of_frames_are_a_part_of_their_own() -> None:
    parts = build_op(FOLDED["linear"].graph(), OpMapping(2, 2)).parts(FAMILIES["ecp5"])
    assert [part.kind for part in parts if part.kind in ("frame_sums", "window_source")] == ["frame_sums"]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (OpMapping(5), "op 'op', field 'pe': 5 does not divide 6 outputs; 1, 2, 3, 6 do"),
        (OpMapping(1, 3), "op 'op', field 'simd': 3 does not divide 4 input channels; 1, 2, 4 do"),
        (OpMapping(1, 1, 2), "op 'op', field 'taps': 2 must be one of (1,)"),
    ],
)
def test_a_mapping_that_does_not_fit_is_named(mapping: OpMapping, message: str) -> None:
    assert refusal(FOLDED["linear"].graph(), mapping) == message
