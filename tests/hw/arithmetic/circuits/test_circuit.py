"""Circuits of products: registers against those of the RTL, decoders before them."""

from __future__ import annotations

import pytest

from hw.arithmetic.circuits.booth import BOOTH
from hw.arithmetic.circuits.circuit import Circuit
from hw.arithmetic.circuits.lookup_table import LOOKUP_TABLE
from hw.arithmetic.circuits.multiplexed import MULTIPLEXED
from hw.arithmetic.circuits.significand_shift import SIGNIFICAND_SHIFT
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.mac import MacArraySpec
from hw.fpga.families.registry import FAMILIES
from hw.fpga.formulas import total
from hw.fpga.mapping import Memory, Multiplier
from hw.resources.arrays import sums
from models.ir.formats.registry import parse_dtype
from tests.support.registers import register_bits


def array(x: str, w: str) -> MacArraySpec:
    """An array of two lanes of two products in LUTs."""
    return MacArraySpec(2, 2, 1, parse_dtype(x), parse_dtype(w), Multiplier.LUT, channelwise=False, width=20)


@pytest.mark.parametrize(
    ("x", "w", "kind"),
    [
        ("int4", "int8", BOOTH),
        ("int8", "dybit4", MULTIPLEXED),
        # two stages, with registers between them
        ("int4", "dybit8", SIGNIFICAND_SHIFT),
        ("dybit4", "dybit5", SIGNIFICAND_SHIFT),
    ],
)
def test_registers_of_products_in_luts_are_those_of_the_rtl(x: str, w: str, kind: Circuit) -> None:
    f, spec = FAMILIES["ecp5"], array(x, w)
    assert spec.circuit == kind
    estimated = total(f, sums(f, spec, 1000, spec.weight_bits, Memory.BRAM, masked=False))
    assert estimated.ff == register_bits(spec.component())


def test_only_what_is_multiplied_is_decoded() -> None:
    """A table takes codes; a choice of multiples takes significands of weights, and decoded features."""
    f, dtype = FAMILIES["xcup"], parse_dtype("dybit4")
    assert LOOKUP_TABLE.operand_luts(f, dtype, feature=True) == 0.0
    decoded, significand = codec(dtype).decoder_luts(6), codec(dtype).significand_luts(6)
    assert decoded != significand
    assert MULTIPLEXED.operand_luts(f, dtype, feature=True) == decoded
    assert MULTIPLEXED.operand_luts(f, dtype, feature=False) == significand
    assert SIGNIFICAND_SHIFT.operand_luts(f, dtype, feature=True) == significand
