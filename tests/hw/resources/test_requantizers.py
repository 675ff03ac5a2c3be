"""Requantizers: constants in short by hand, the serializer's registers against the RTL, the lanes' against Yosys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hw.arithmetic.output import OutputSerializer
from hw.arithmetic.threshold_search import ThresholdSearch
from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.fpga.formulas import total
from hw.resources.requantizers import Constants, constants, odd_part, output_serializer, requantizer, threshold_search
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.node import Shape
from models.ir.requant import MULT_BITS, Requant
from models.ir.thresholds import Thresholds
from tests.support.estimates import synthesized
from tests.support.registers import register_bits


@pytest.mark.parametrize(("pe", "lanes"), [(2, 2), (4, 2), (8, 2), (8, 1)])
def test_registers_of_a_serializer_of_codes_are_those_of_the_rtl(pe: int, lanes: int) -> None:
    f, layout = FAMILIES["ecp5"], TokenLayout(Shape(8, 8, 8), IntType(8), lanes)
    bounds = (-128, 127)
    assert total(f, output_serializer(f, layout, pe, None, bounds)).ff == register_bits(
        OutputSerializer(layout, pe, None, bounds)
    )


def test_constants_in_short() -> None:
    """Four channels: biases 1 and 2 in turn, one multiplier, no fractions."""
    requant = Requant(np.array([1, 2, 1, 2]), np.array([300] * 4), 12, 0, 255)
    # one channel a beat: the two lowest bits of a bias change, the second as the first does not; the third stays
    assert constants(requant, 1) == Constants(4, 2, 0, 0, MULT_BITS, (300,))
    # two channels a beat: both beats are the same
    assert constants(requant, 2) == Constants(2, 0, 0, 0, MULT_BITS, (300, 300))


def test_multipliers_that_change_are_no_constants() -> None:
    """5 and 6 differ in their two lowest bits; fractions of 2 bits of biases 4 and 7 in both."""
    requant = Requant(np.array([4, 7]), np.array([5, 6]), 12, 0, 255, fraction=2)
    short = constants(requant, 1)
    assert (short.beats, short.mults, short.mult_bits) == (2, None, 2)
    # in either beat the two bits are equal: one is a copy of the other
    assert (short.bias_bits, short.fraction_bits) == (1, 1)


def test_powers_of_two_are_wires() -> None:
    for factor in range(1, 200):
        rest = odd_part(factor)
        assert rest % 2 == 1
        assert (factor // rest).bit_count() == 1
        assert factor % rest == 0
    assert odd_part(0) == 0


# Registers of four lanes of requantizing, 6 bits of fraction, by channels: Yosys keeps one where biases are the same.
FRACTIONS = [("uint4", 4, 226), ("uint4", 16, 277), ("udybit4", 4, 277), ("udybit4", 16, 327)]


@pytest.mark.parametrize(("name", "channels", "ff"), FRACTIONS)
def test_registers_of_fractions_are_near_those_of_yosys(name: str, channels: int, ff: int) -> None:
    rng, dtype, fraction = np.random.default_rng(0), parse_dtype(name), 6
    bias = rng.integers(-(1 << 8 + fraction), 1 << 8 + fraction, channels)
    mult = rng.integers(1 << MULT_BITS - 1, 1 << MULT_BITS, channels)
    shift = MULT_BITS + 11 - dtype.max.bit_length() + fraction
    requant = Requant(bias, mult, shift, 0, dtype.max, fraction)
    for family in ("xcup", "ecp5"):
        f = FAMILIES[family]
        parts = requantizer(f, requant, dtype, 4, (-(1 << 11), (1 << 11) - 1), encoded=True)
        assert total(f, parts).ff == pytest.approx(ff, rel=0.06)


SEARCHES = [
    ("uint4", 15, 16, 2, 4000, 0.15), ("uint4", 15, 1, 2, 4000, 0.4), ("int2", 3, 64, 4, 600, 0.15),
    ("uint3", 7, 64, 2, 9000, 0.15),
]  # fmt: skip
"""Format, levels, rows of them, lanes, the largest sum, and how near the LUTs are: few levels that are the same for all
channels are estimated a third too low on ECP5."""


@pytest.mark.whole
@pytest.mark.parametrize("name", ["z7020", "ecp5-85k"])
@pytest.mark.parametrize(("dtype", "count", "rows", "lanes", "most", "within"), SEARCHES)
def test_a_search_among_levels_is_near_what_yosys_makes(
    tmp_path: Path, name: str, dtype: str, count: int, rows: int, lanes: int, most: int, within: float
) -> None:
    levels = np.sort(np.random.default_rng(0).integers(-most, most, (rows, count)), axis=1)
    rule, own, device = Thresholds(levels), parse_dtype(dtype), DEVICES[name]
    f = FAMILIES[device.family]
    made = synthesized(ThresholdSearch(rule, own, lanes, (-most, most)), device, tmp_path)
    estimated = total(f, threshold_search(f, rule, own, lanes, (-most, most)))
    assert (estimated.bram, estimated.dsp) == (made.bram, made.dsp) == (0, 0)
    assert estimated.ff == pytest.approx(made.ff, rel=0.03, abs=2)
    assert estimated.lut == pytest.approx(made.lut, rel=within)


# Blocks of a lane whose multiplier is always the same, of 16-bit sums (multiplier, blocks); two to a power is wires.
CONSTANT_FACTORS = [(64, 0), (3, 1), (5, 1), (21, 1), (120, 1), (171, 1), (341, 1)]


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
@pytest.mark.parametrize(("mult", "blocks"), CONSTANT_FACTORS)
def test_dsp_blocks_of_a_constant_multiplier_are_those_of_yosys(family: str, mult: int, blocks: int) -> None:
    f = FAMILIES[family]
    requant = Requant(np.array([7]), np.array([mult]), 12, 0, 255)
    parts = requantizer(f, requant, IntType(8, False), 1, (-(1 << 15), (1 << 15) - 1), encoded=True)
    assert total(f, parts).dsp == blocks
