"""Arrays of sums: registers against those of the RTL, adder trees worked out by hand, products against Yosys."""

from __future__ import annotations

import pytest

from hw.arithmetic.frame_accumulator import FrameAccumulator
from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.multipliers import in_table
from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.fpga.formulas import dsp_blocks, total
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.resources.arrays import adders, carry_registers, frame_sums, sums
from models.ir.accumulator import width
from models.ir.formats.registry import parse_dtype
from tests.support.estimates import conv, estimate
from tests.support.ops import build_op
from tests.support.registers import register_bits


def array(x: str, w: str | None, pe: int, simd: int, taps: int, *, largest: bool = False) -> MacArraySpec:
    """An array whose products are in DSP blocks; without weights a lane has its features to itself."""
    weights = None if w is None else parse_dtype(w)
    return MacArraySpec(
        pe, simd, taps, parse_dtype(x), weights, Multiplier.DSP, channelwise=w is None, width=18, largest=largest
    )


# Features are signed: of unsigned ones the RTL has a sign bit that is always 0.
@pytest.mark.parametrize(
    "spec",
    [
        array("int8", "int8", 1, 1, 1),
        array("int4", "dybit4", 3, 2, 1),
        array("int4", "int4", 2, 3, 1),
        # maxima in two stages
        array("uint8", None, 2, 2, 9, largest=True),
    ],
    ids=str,
)
def test_registers_are_those_of_the_rtl(spec: MacArraySpec) -> None:
    f = FAMILIES["ecp5"]
    estimated = total(f, sums(f, spec, 1000, spec.weight_bits, Memory.BRAM, masked=False))
    assert estimated.ff == register_bits(spec.component())


@pytest.mark.parametrize("terms", [4, 5, 16])
def test_registers_of_larger_trees_are_no_fewer_and_hardly_more_than_those_of_the_rtl(terms: int) -> None:
    """A sum of four numbers counts a bit more than the RTL gives it."""
    f, spec = FAMILIES["ecp5"], array("int4", "int8", 1, terms, 1)
    estimated = total(f, sums(f, spec, 1000, spec.weight_bits, Memory.BRAM, masked=False))
    registers = register_bits(spec.component())
    assert registers <= estimated.ff <= 1.05 * registers


@pytest.mark.parametrize(("pe", "neuron_folds", "beats", "bits"), [(2, 4, 1, 12), (1, 8, 1, 9), (4, 2, 2, 10)])
def test_registers_of_whole_frames_are_those_of_the_rtl(pe: int, neuron_folds: int, beats: int, bits: int) -> None:
    part = frame_sums(FAMILIES["ecp5"], pe, neuron_folds, beats, bits, bits)
    assert part.ff == register_bits(FrameAccumulator(pe, neuron_folds, beats, bits))


@pytest.mark.parametrize(
    ("terms", "bits", "stages", "expected"),
    [
        (1, 8, 0, [0, 0, 0, 0]),
        # one adder of two numbers or three, whose sum has one bit more, or two
        (2, 8, 0, [8, 0, 0, 9]),
        (3, 8, 0, [0, 8, 0, 10]),
        # a stage more only delays the one number
        (2, 8, 2, [8, 0, 0, 9 + 9]),
    ],
)
def test_adder_trees_by_hand(terms: int, bits: int, stages: int, expected: list[int]) -> None:
    """Bits of adders of two, of three and of four numbers, and registers."""
    assert adders(terms, bits, stages).tolist() == expected


def test_numbers_are_added_four_at_a_time() -> None:
    """Ten numbers of 8 bits: two adders of four and one of two, then one of three wider numbers."""
    twos, threes, fours, registers = adders(10, 8).tolist()
    assert (twos, fours) == (8, 2 * 8)
    assert threes in (10, 11)
    assert registers > 3 * threes


def test_a_carry_waits_until_an_adder_has_room_for_it() -> None:
    """An adder of n numbers has n - 1 carry inputs; a tree of four-input adders is walked stage by stage."""
    for terms in range(1, 70):
        numbers, carries, registers = [1] * terms, terms, 0
        while len(numbers) > 1:
            groups = [numbers[n : n + 4] for n in range(0, len(numbers), 4)]
            carries -= sum(len(group) - 1 for group in groups)
            registers += carries
            numbers = [sum(group) for group in groups]
        assert carry_registers(terms) == registers


# LUTs and registers of arrays of 4 lanes of some terms, whose products are in LUTs.
ARRAYS = [
    ("xcup", "uint8", "dybit4", 2, 407, 323), ("xcup", "udybit8", "dybit4", 2, 631, 445),
    ("xcup", "int8", "dybit3", 2, 301, 279), ("xcup", "udybit8", "dybit8", 2, 1397, 945),
    ("xcup", "udybit5", "dybit5", 2, 586, 474), ("ecp5", "uint8", "dybit4", 2, 673, 323),
    ("ecp5", "udybit8", "dybit4", 2, 1009, 445), ("ecp5", "int8", "dybit3", 2, 465, 279),
    ("ecp5", "udybit8", "dybit8", 2, 2208, 945), ("ecp5", "udybit5", "dybit5", 2, 987, 474),
    ("xcup", "uint8", "int8", 4, 1081, 952), ("xcup", "uint8", "int4", 4, 554, 455),
    ("xcup", "uint4", "int4", 4, 362, 343), ("xcup", "uint4", "dybit4", 4, 460, 347),
    ("xcup", "udybit4", "dybit4", 4, 685, 415), ("xcup", "uint4", "int4", 16, 1367, 1200),
    ("ecp5", "udybit4", "dybit4", 4, 1133, 463), ("ecp5", "udybit4", "dybit4", 16, 4214, 1660),
    ("xcup", "udybit4", "dybit4", 16, 2698, 1464), ("xcup", "uint8", "dybit4", 16, 3013, 1768),
]  # fmt: skip


@pytest.mark.parametrize(("family", "features", "weights", "terms", "lut", "ff"), ARRAYS)
def test_arrays_of_products_in_luts_are_near_those_of_yosys(
    family: str, features: str, weights: str, terms: int, lut: int, ff: int
) -> None:
    x, w, f = parse_dtype(features), parse_dtype(weights), FAMILIES[family]
    limit = 576 * x.max * max(-w.min, w.max)
    kind = Multiplier.TABLE if in_table(x, w, f.lut_inputs) else Multiplier.LUT
    spec = MacArraySpec(4, terms, 1, x, w, kind, channelwise=False, width=width(-limit, limit))
    estimated = total(f, sums(f, spec, 1000, spec.weight_bits, Memory.BRAM, masked=False))
    assert estimated.lut == pytest.approx(lut, rel=0.06)
    assert estimated.ff == pytest.approx(ff, rel=0.02)


def test_multipliers_are_dsp_blocks_or_luts() -> None:
    """16 products in DSP blocks; in LUTs only the requantize lane has one."""
    by_dsp, by_lut = (
        estimate(conv(), OpMapping(4, 4, 1, Memory.LUT, kind), "zu3eg") for kind in (Multiplier.DSP, Multiplier.LUT)
    )
    assert by_dsp.dsp - by_lut.dsp == 16
    assert by_lut.lut > by_dsp.lut
    # 4-bit products are too small for Yosys to give them a DSP block of Xilinx
    small = conv(("uint4", "int4", "uint4"))
    assert dsp_blocks(FAMILIES["xcup"], 5, 3) == 0
    op = build_op(small, OpMapping(4, 4, 1, Memory.LUT, Multiplier.DSP))
    assert op.resources(DEVICES["zu3eg"]).dsp in range(16, 18)
