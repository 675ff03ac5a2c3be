"""Sliding-window generators of their own: estimated resources against what Yosys makes."""

from __future__ import annotations

from itertools import islice

import pytest

from benchmarks.resources import WINDOWS, window_samples
from benchmarks.resources.made import DEVICE
from benchmarks.resources.windows import Window
from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.fpga.formulas import decoded_select
from hw.line_buffer.token_buffer import WindowGeometry
from hw.resources.sources import store, window_source
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape

SAMPLES = 4
"""Of those of a family that no factor has seen: making their Verilog takes a second each."""


@pytest.mark.few(1)
@pytest.mark.parametrize("family", WINDOWS)
def test_generators_that_no_factor_has_seen_are_near_what_yosys_makes(family: str) -> None:
    """Kept in benchmarks/resources/made by ``python -m benchmarks.resources synthesize FAMILY``.

    Those that read taps one by one are mostly control, which a whole op shares: their LUTs are fitted there.
    """
    at_once = 0
    for sample in islice(window_samples(family, held_out=True), SAMPLES):
        assert isinstance(sample.op, Window)
        estimated, made = sample.op.resources(DEVICES[DEVICE[family]]), sample.made.resources
        assert estimated.ff == pytest.approx(made.ff, rel=0.02)
        if sample.op.parallel:
            at_once += 1
            assert estimated.lut == pytest.approx(made.lut, rel=0.05)
    assert at_once == 2


# LUTs a bit of a multiplexer in generators of kernels 3 and 5, by Yosys 0.70: family, inputs, LUTs, bits, LUTs of all.
MULTIPLEXERS = [("ecp5", 4, 3, 36, 108), ("ecp5", 6, 4, 160, 647), ("ecp5", 8, 5, 100, 518), ("xcup", 8, 3, 100, 303)]


@pytest.mark.parametrize(("family", "ways", "luts", "bits", "made"), MULTIPLEXERS)
def test_a_multiplexer_whose_select_is_decoded_once_is_a_tree_of_ands_and_ors(
    family: str, ways: int, luts: int, bits: int, made: int
) -> None:
    assert decoded_select(FAMILIES[family], ways) == luts == round(made / bits)


@pytest.mark.parametrize(("family", "registers"), [("ecp5", 712), ("xcup", 706)])
def test_a_bank_of_one_word_is_made_of_registers(family: str, registers: int) -> None:
    """A kernel of 5 on 6 x 6 sites of 4 bits has 48 banks of one word; LUTs hold words from the second on."""
    f = FAMILIES[family]
    layout, geometry = TokenLayout(Shape(6, 6, 1), IntType(4), 1), WindowGeometry(6, 6, 1, 5, 1, 2)
    assert sum(part.ff for part in window_source(f, layout, geometry, True)) == pytest.approx(registers, abs=2)
    assert (store(f, 1, 4).lut, store(f, 2, 4).ff) == (0.0, 4.0)
    assert store(f, 2, 4).lut > 0
