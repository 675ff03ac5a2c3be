"""Products, memories, multiplexers and constants against what Yosys makes of them, and how parts add up."""

from __future__ import annotations

import numpy as np
import pytest

from hw.fpga.device import Resources
from hw.fpga.families.registry import FAMILIES
from hw.fpga.formulas import (
    ResourceEstimate,
    constant_block,
    decoded_select,
    distinct,
    dsp_blocks,
    joined_bits,
    lut_memory,
    luts,
    small_product,
    total,
    written_block,
)

# What Yosys 0.70 makes of a product of two signed numbers, each size synthesized on its own.
PRODUCTS = [
    ("xcup", 4, 4, 0), ("xcup", 5, 3, 0), ("xcup", 5, 4, 1), ("xcup", 27, 17, 1), ("xcup", 28, 17, 2),
    ("xcup", 36, 17, 2), ("ecp5", 2, 2, 1), ("ecp5", 18, 17, 1), ("ecp5", 19, 17, 1), ("ecp5", 20, 17, 2),
    ("ecp5", 20, 12, 2), ("ecp5", 36, 17, 2),
]  # fmt: skip


@pytest.mark.parametrize(("family", "a", "b", "blocks"), PRODUCTS)
def test_dsp_blocks_of_a_product_are_those_of_yosys(family: str, a: int, b: int, blocks: int) -> None:
    assert dsp_blocks(FAMILIES[family], a, b) == dsp_blocks(FAMILIES[family], b, a) == blocks


def test_what_joins_the_parts_of_a_product_is_counted() -> None:
    """On ECP5 LUTs multiply by one bit more than a block takes; two are another block's."""
    assert joined_bits(FAMILIES["ecp5"], 19, 17, fixed=True) == 18
    assert [joined_bits(FAMILIES["ecp5"], a, 17) for a in (18, 19, 20, 37, 38)] == [0, 54, 19, 144, 74]
    assert [joined_bits(FAMILIES["xcup"], a, 17) for a in (27, 28, 44, 45)] == [0, 28, 44, 90]


# LUTs of products too small for a DSP block.
SMALL_PRODUCTS = [
    ("xcup", 3, 3, 8), ("xcup", 4, 3, 16), ("xcup", 4, 4, 26), ("xcup", 5, 3, 19),
    ("ice40", 3, 3, 19), ("ice40", 4, 4, 37), ("ice40", 5, 3, 29), ("ice40", 5, 5, 64), ("ice40", 6, 4, 56),
]  # fmt: skip


@pytest.mark.parametrize(("family", "a", "b", "luts"), SMALL_PRODUCTS)
def test_luts_of_a_small_product_are_near_those_of_yosys(family: str, a: int, b: int, luts: int) -> None:
    assert small_product(FAMILIES[family], b, a) == small_product(FAMILIES[family], a, b)
    assert small_product(FAMILIES[family], a, b) == pytest.approx(luts, rel=0.25, abs=3)


# The same of memories in blocks (depth, bits, blocks of one that is written, and of constants, which share words).
BLOCKS = [
    (2, 8, 1, 1), (64, 130, 4, 4), (128, 72, 2, 2), (512, 36, 1, 1), (513, 18, 1, 1), (1024, 9, 1, 1),
    (1024, 36, 2, 2), (1100, 36, 3, 3), (2304, 8, 2, 2), (3000, 4, 1, 1), (5000, 2, 1, 1), (5000, 4, 2, 2),
    (4096, 32, 8, 8), (64, 200, 6, 6), (5184, 3, 2, 1), (700, 20, 2, 2),
]  # fmt: skip


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_blocks_of_a_memory_are_those_of_yosys(family: str) -> None:
    for depth, bits, written, constant in BLOCKS:
        f = FAMILIES[family]
        assert (written_block(f, depth, bits).bram, constant_block(f, depth, bits).bram) == (written, constant)


def test_constant_bits_and_copies_are_not_counted() -> None:
    words = np.array([[5, 1], [4, 0], [4, 0], [7, 3]])
    # of the first lane the highest bit is constant, and the second's two are the other two
    assert distinct(words, 3) == 2
    assert distinct(words[:1], 3) == 0


# And of memories in LUTs that are read without a clock (depth, bits, LUTs).
LUT_MEMORIES = [
    ("xcup", 4, 13, 8), ("xcup", 32, 32, 24), ("xcup", 40, 8, 16), ("xcup", 64, 32, 40), ("xcup", 100, 32, 114),
    ("xcup", 200, 32, 196), ("ecp5", 8, 13, 24), ("ecp5", 32, 32, 130), ("ecp5", 40, 32, 211),
    ("ecp5", 64, 32, 324), ("ecp5", 100, 32, 535), ("ecp5", 200, 32, 1110),
]  # fmt: skip


@pytest.mark.parametrize(("family", "depth", "bits", "luts"), LUT_MEMORIES)
def test_luts_of_a_memory_are_near_those_of_yosys(family: str, depth: int, bits: int, luts: int) -> None:
    lut, registers = lut_memory(FAMILIES[family], depth, bits)
    assert lut == pytest.approx(luts, rel=0.1)
    assert registers == 0


# LUTs a bit of a multiplexer in generators of kernels 3 and 5, by Yosys 0.70: family, inputs, LUTs, bits, LUTs of all.
MULTIPLEXERS = [("ecp5", 4, 3, 36, 108), ("ecp5", 6, 4, 160, 647), ("ecp5", 8, 5, 100, 518), ("xcup", 8, 3, 100, 303)]


@pytest.mark.parametrize(("family", "ways", "luts", "bits", "made"), MULTIPLEXERS)
def test_a_multiplexer_whose_select_is_decoded_once_is_a_tree_of_ands_and_ors(
    family: str, ways: int, luts: int, bits: int, made: int
) -> None:
    assert decoded_select(FAMILIES[family], ways) == luts == round(made / bits)


def test_a_part_is_its_known_luts_and_its_terms_times_their_coefficients() -> None:
    """A fork of 3 ways: one LUT of its own and two a way; what is known comes on top, and nothing is taken off it."""
    part = ResourceEstimate("fork", (1.0, 3), lut=4.5, ff=3)
    for family in FAMILIES.values():
        assert luts(family, part) == 1.0 + 2.0 * 3 + 4.5
        assert luts(family, part._replace(terms=(-10.0, 0))) == 4.5
        # rounded once, not by part: 4.5 and 4.5 are 9
        assert total(family, [part._replace(terms=(0.0, 0))] * 2) == Resources(lut=9, ff=6)


def test_a_part_with_too_few_terms_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        luts(FAMILIES["ecp5"], ResourceEstimate("fork", (1.0,)))
