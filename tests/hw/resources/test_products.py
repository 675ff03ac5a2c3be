"""Products: blocks counted by hand, registers against those of the RTL, places that are shifted by brute force."""

from __future__ import annotations

from itertools import product

import pytest

from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.multipliers import Products
from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.fpga.formulas import dsp_blocks, total
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.resources.arrays import sums
from hw.resources.products import coded, of_blocks, places_width
from models.ir.formats.registry import parse_dtype
from tests.support.estimates import conv, estimate
from tests.support.ops import build_op
from tests.support.registers import register_bits


def array(x: str, w: str) -> MacArraySpec:
    """An array of two lanes of two products in LUTs."""
    return MacArraySpec(2, 2, 1, parse_dtype(x), parse_dtype(w), Multiplier.LUT, channelwise=False, width=20)


@pytest.mark.parametrize(
    ("x", "w", "kind"),
    [
        ("int4", "int8", Products.BOOTH),
        ("int8", "dybit4", Products.MULTIPLEXED),
        # two stages, with registers between them
        ("int4", "dybit8", Products.SIGNIFICAND_SHIFT),
        ("dybit4", "dybit5", Products.SIGNIFICAND_SHIFT),
    ],
)
def test_registers_of_products_in_luts_are_those_of_the_rtl(x: str, w: str, kind: Products) -> None:
    f, spec = FAMILIES["ecp5"], array(x, w)
    assert spec.products is kind
    estimated = total(f, sums(f, spec, 1000, spec.weight_bits, Memory.BRAM, masked=False))
    assert estimated.ff == register_bits(spec.component())


@pytest.mark.parametrize(("x", "w"), list(product(("int4", "dybit4", "udybit8"), ("dybit5", "dybit6", "dybit8"))))
def test_the_number_of_places_holds_the_largest_shift(x: str, w: str) -> None:
    shifts = [max(codec(dtype).shift(int(value)) for value in dtype.values()) for dtype in map(parse_dtype, (x, w))]
    # the sum of two numbers has a bit more than either, whether it needs it or not
    bits = max(shift.bit_length() for shift in shifts) + all(shifts)
    assert bits >= sum(shifts).bit_length()
    assert places_width(array(x, w)) == bits


def test_blocks_of_the_products_of_a_term() -> None:
    """On UltraScale+ 9 x 8 bits are a block, 9 x 28 bits are two; the three terms have both."""
    spec = MacArraySpec(2, 3, 1, parse_dtype("uint8"), parse_dtype("int8"), Multiplier.DSP, False, 20)
    part = of_blocks(FAMILIES["xcup"], spec, [8, 28], 1.0)
    assert part.dsp == 3 * (1 + 2)
    # the two blocks are joined by an adder over what the first of them leaves: 9 + 28 bits less its 17
    assert part.terms == (0.0, 0.0, 0.0, 3 * (9 + 28 - 17), 0.0)


def test_only_what_is_multiplied_is_decoded() -> None:
    """A table takes codes; a choice of multiples takes significands of weights, and decoded features."""
    f, dtype = FAMILIES["xcup"], parse_dtype("dybit4")
    assert coded(f, Products.LOOKUP_TABLE, dtype, feature=True) == 0.0
    decoded, significand = codec(dtype).decoder_luts(6), codec(dtype).significand_luts(6)
    assert decoded != significand
    assert coded(f, Products.MULTIPLEXED, dtype, feature=True) == decoded
    assert coded(f, Products.MULTIPLEXED, dtype, feature=False) == significand
    assert coded(f, Products.SIGNIFICAND_SHIFT, dtype, feature=True) == significand


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
