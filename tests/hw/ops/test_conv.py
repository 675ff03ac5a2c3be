"""Convolutions: cycles counted window by window, the order of the weights walked step by step, and refusals."""

from __future__ import annotations

import dataclasses
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.ops.conv import ConvOp
from models.ir.activity import frame_activity
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.ops.conv import Conv
from tests.hw.ops.cases import FOLDED, Case, draw_case, masked_frame
from tests.support.ops import build_op, refusal, window_taps

INT4 = IntType(4)


@settings(max_examples=10)
@given(data=st.data())
def test_a_frame_takes_the_sum_of_its_windows(data: st.DataObject) -> None:
    """``ceil(active / taps) * c_in/simd * c_out/pe`` cycles a window, or as many as its beats, and those of ``end``."""
    kind = data.draw(st.sampled_from(["full", "depthwise"]))
    kernel, stride = data.draw(st.sampled_from([(1, 2), (2, 1), (3, 1), (3, 2)]))
    padding = data.draw(st.integers(0, (kernel - 1) // 2))
    case = Case(kind, (5, 6, 4), INT4, INT4, INT4, 6, kernel, stride, padding, sparse_windows=True)
    graph = case.graph()
    pe = data.draw(st.sampled_from([1, 2, 4] if kind == "depthwise" else [1, 2, 3, 6]))
    simd = pe if kind == "depthwise" else data.draw(st.sampled_from([1, 2, 4]))
    taps = data.draw(st.sampled_from([1, kernel**2]))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=30, max_size=30))).reshape(5, 6)
    op = build_op(graph, OpMapping(pe, simd, taps))
    beats, folds = pe // op.out_lanes, op.shape.channels // pe
    words = 1 if kind == "depthwise" else 4 // simd
    steps = sum(
        folds * max(max(1, -(-active // taps)) * words, beats)
        for active in window_taps(mask, kernel, stride, padding)
    )  # fmt: skip
    cycles = op.cycles(frame_activity(graph, mask)["op"])
    assert cycles == max(steps + beats, int(mask.sum()) * 4 // simd + 1)


@pytest.mark.parametrize(("kind", "taps"), [("full", 1), ("full", 9), ("depthwise", 1), ("depthwise", 9)])
def test_the_words_of_weights_walked_step_by_step_give_the_sums(kind: str, taps: int) -> None:
    """Fold by fold, tap by tap where they are taken one by one, input word by input word: one memory word a step."""
    case = Case(kind, (3, 3, 4), INT4, INT4, INT4, 6, 3, 1, 0)
    graph = case.graph()
    node = graph["op"]
    assert isinstance(node, Conv)
    frame = masked_frame(case.rng, graph, np.ones((3, 3), dtype=bool))
    (expected,) = node.accumulate(frame).features
    for pe, simd in [(2, 2)] if kind == "depthwise" else list(product((1, 2, 3), (1, 2, 4))):
        op = build_op(graph, OpMapping(pe, simd, taps))
        assert isinstance(op, ConvOp)
        memory = iter(op.weight_words())
        sums = np.zeros(op.shape.channels, dtype=np.int64)
        for fold in range(0, op.shape.channels, pe):
            for tap in range(9 // taps):
                for word in range(0, 1 if op.channelwise else 4, simd):
                    lanes = iter(next(memory))
                    for p in range(pe):
                        channels = [fold + p] if op.channelwise else range(word, word + simd)
                        for position in range(tap, tap + taps):
                            for channel in channels:
                                sums[fold + p] += next(lanes) * frame.features[position, channel]
                    assert not list(lanes)
        assert not list(memory)
        assert sums.tolist() == expected.tolist()


def test_products_are_counted_by_hand() -> None:
    """8 x 8 bits: 2 output channels, 4 input channels and 9 taps at once are 72 blocks."""
    case = Case("full", (4, 4, 4), IntType(8), IntType(8), IntType(8), 4, 3, 1, 1)
    op = build_op(case.graph(), OpMapping(2, 4, 9, Memory.LUT, Multiplier.DSP))
    assert [part.dsp for part in op.parts(FAMILIES["xcup"]) if part.kind == "products"] == [72]


@pytest.mark.parametrize(
    ("kind", "mapping", "message"),
    [
        ("full", OpMapping(4), "op 'op', field 'pe': 4 does not divide 6 output channels; 1, 2, 3, 6 do"),
        ("full", OpMapping(1, 3), "op 'op', field 'simd': 3 does not divide 4 input channels; 1, 2, 4 do"),
        ("full", OpMapping(1, 1, 3), "op 'op', field 'taps': 3 must be one of (1, 9)"),
        ("depthwise", OpMapping(3, 2), "op 'op', field 'simd': 2 must be one of (3,)"),
        ("pointwise", OpMapping(1, 1, 9), "op 'op', field 'taps': 9 must be one of (1,)"),
    ],
)
def test_a_mapping_that_does_not_fit_is_named(kind: str, mapping: OpMapping, message: str) -> None:
    assert refusal(FOLDED[kind].graph(), mapping) == message


@pytest.mark.parametrize(("x", "w"), [("int4", "int4"), ("udybit8", "dybit8"), ("uint8", "dybit4")])
def test_products_that_are_no_table_are_named(x: str, w: str) -> None:
    graph = Case("pointwise", (3, 4, 4), parse_dtype(x), parse_dtype(w), parse_dtype("int8"), 4).graph()
    message = refusal(graph, OpMapping(1, 1, multiplier=Multiplier.TABLE))
    assert message.startswith(f"op 'op', field 'multiplier': 'table' is not possible: {x} x {w} are")


@pytest.mark.parametrize(
    ("kind", "pe", "why"),
    [
        ("depthwise", 2, "a depthwise lane has its features to itself"),
        ("pointwise", 1, "18 bits hold no two weights of 1 lanes for uint8 x int8"),
    ],
)
def test_lanes_that_cannot_share_multipliers_are_named(kind: str, pe: int, why: str) -> None:
    case = draw_case(0, kind, channels=(2, 4))
    graph = dataclasses.replace(case, x=IntType(8, False), w=IntType(8)).graph()
    assert refusal(graph, OpMapping(pe, pe, multiplier=Multiplier.PACKED, operand=18)) == (
        f"op 'op', field 'multiplier': 'packed' is not possible: {why}; 'dsp' and 'lut' are"
    )


@pytest.mark.parametrize("kind", ["full", "depthwise", "pointwise"])
def test_mappings_have_every_memory_and_multiplier(kind: str) -> None:
    case = FOLDED[kind]
    listed = case.mappings(case.graph())
    assert {mapping.memory for mapping in listed} == set(Memory)
    shared = set() if kind == "depthwise" else {Multiplier.PACKED}
    assert {mapping.multiplier for mapping in listed} == {Multiplier.DSP, Multiplier.LUT} | shared
