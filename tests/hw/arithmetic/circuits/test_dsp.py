"""Products in DSP blocks, counted by hand."""

from __future__ import annotations

from hw.arithmetic.circuits.dsp import DSP
from hw.arithmetic.mac import MacArraySpec
from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import Multiplier
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype


def test_blocks_of_the_products_of_a_term() -> None:
    """On UltraScale+ 9 x 8 bits are a block, 9 x 28 bits are two; the three terms have both."""
    spec = MacArraySpec(2, 3, 1, parse_dtype("uint8"), parse_dtype("int8"), Multiplier.DSP, False, 20)
    part = DSP.resources(FAMILIES["xcup"], spec.count(), [8, 28])
    assert part.dsp == 3 * (1 + 2)
    # the two blocks are joined by an adder over what the first of them leaves: 9 + 28 bits less its 17
    assert part.terms == (0.0, 0.0, 0.0, 3 * (9 + 28 - 17), 0.0)


def test_a_constant_takes_a_block_for_its_odd_part() -> None:
    """24 is 3 times a power of two: 3 signed bits; 1 is the feature itself."""
    features, weights = IntType(8, signed=False), IntType(8)
    assert DSP.constant(features, weights, 24).operand == 3
    assert DSP.constant(features, weights, 1).operand == 0
