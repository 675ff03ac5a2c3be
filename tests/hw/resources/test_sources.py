"""Sources of ops: registers against those of the RTL, generators and their memories against what Yosys makes."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from benchmarks.inputs.ops import one_op
from benchmarks.resources import WINDOWS, window_samples
from benchmarks.resources.made import DEVICE
from benchmarks.resources.windows import SiteGenerator
from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.fpga.formulas import total
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.line_buffer.sliding_window import SlidingWindow
from hw.line_buffer.token_buffer import TokenBuffer, WindowGeometry
from hw.resources.sources import sliding_window, token_buffer, word_memory
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.window import Window
from tests.support.estimates import estimate
from tests.support.registers import register_bits

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
        assert isinstance(sample.op, SiteGenerator)
        estimated, made = sample.op.resources(DEVICES[DEVICE[family]]), sample.made.resources
        assert estimated.ff == pytest.approx(made.ff, rel=0.02)
        if sample.op.parallel:
            at_once += 1
            assert estimated.lut == pytest.approx(made.lut, rel=0.05)
    assert at_once == 2


@pytest.mark.parametrize(("family", "registers"), [("ecp5", 712), ("xcup", 706)])
def test_a_bank_of_one_word_is_made_of_registers(family: str, registers: int) -> None:
    """A kernel of 5 on 6 x 6 sites of 4 bits has 48 banks of one word; LUTs hold words from the second on."""
    f = FAMILIES[family]
    layout, geometry = TokenLayout(Shape(6, 6, 1), IntType(4), 1), WindowGeometry(6, 6, 1, Window.of(5, 1, 2))
    assert sum(part.ff for part in sliding_window(f, layout, geometry, True)) == pytest.approx(registers, abs=2)
    assert (word_memory(f, 1, 4).lut, word_memory(f, 2, 4).ff) == (0.0, 4.0)
    assert word_memory(f, 2, 4).lut > 0


@pytest.mark.parametrize("steps", [1, 4, 20])
def test_registers_of_a_token_buffer_are_those_of_the_rtl(steps: int) -> None:
    """Besides those of the RTL there is one at the memory's output, of the bits of a word."""
    layout = TokenLayout(Shape(8, 8, 8), IntType(8), 2)
    part = total(FAMILIES["xcup"], token_buffer(FAMILIES["xcup"], layout, steps))
    assert part.ff == register_bits(TokenBuffer(layout, steps)) + 16


@pytest.mark.parametrize("parallel", [False, True])
def test_registers_of_a_dense_generator_are_those_of_the_rtl(parallel: bool) -> None:
    """Besides those of the RTL there is one at the output of every bank."""
    layout, geometry = TokenLayout(Shape(8, 8, 4), IntType(8), 2), WindowGeometry(8, 8, 2, Window.of(2, 2, 0))
    part = total(FAMILIES["xcup"], sliding_window(FAMILIES["xcup"], layout, geometry, parallel))
    banks, _ = geometry.banks(parallel)
    assert banks == (geometry.rows * 2 if parallel else 1)
    assert part.ff == register_bits(SlidingWindow(layout, geometry, parallel)) + banks * 16


# Blocks of a sparse convolution over 3 x 400 sites: a store of rows, and a list of cells for each row of a stride.
WIDE = [("zu3eg", 1, 4), ("zu3eg", 2, 5), ("ecp5-85k", 1, 4), ("ecp5-85k", 2, 5)]


@pytest.mark.parametrize(("device", "stride", "blocks"), WIDE)
def test_blocks_of_the_lists_of_cells_are_those_of_yosys(device: str, stride: int, blocks: int) -> None:
    rng, int4, uint4 = np.random.default_rng(0), IntType(4), IntType(4, False)
    graph = one_op(
        rng, "conv", (3, 400, 1), out=1, kernel=3, stride=stride, padding=1, x=uint4, w=int4, y=uint4, sparse=True
    )  # fmt: skip
    assert estimate(graph, OpMapping(1, 1, 1, Memory.LUT, Multiplier.LUT), device).bram == blocks
