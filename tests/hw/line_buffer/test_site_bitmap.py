"""The bits of active sites, cycle by cycle against a list of sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hw.line_buffer.site_bitmap import SINGLE_WORD_BITS, SiteBitmap, word_bits


@pytest.mark.parametrize(
    ("width", "span"),
    [(1, 1), (2, 2), (7, 3), (SINGLE_WORD_BITS, 5), (SINGLE_WORD_BITS + 1, 7), (36, 3), (65, 2), (100, 7), (301, 1)],
)
def test_against_sets(width: int, span: int) -> None:
    """Rows filled in ascending order with whatever sites, read anywhere at any time."""
    rows = 3
    rng = np.random.default_rng(width)
    top = Module()
    top.domains.sync = ClockDomain()
    top.submodules.dut = dut = SiteBitmap(rows, width, span)

    async def bench(ctx: Any) -> None:
        model: list[set[int]] = [set() for _ in range(rows)]
        for _ in range(20):
            row, fresh = int(rng.integers(rows)), True
            ctx.set(dut.row, row)
            for x in np.flatnonzero(rng.random(width) < rng.choice([0.02, 0.2, 0.8])):
                # a row may be cleared before its first site comes
                early = fresh and rng.integers(2)
                for put in (False, True) if early else (True,):
                    column = int(rng.integers(width))
                    ctx.set(dut.clear, fresh)
                    ctx.set(dut.put, put)
                    ctx.set(dut.x, int(x))
                    ctx.set(dut.column, column)
                    for n in range(rows):
                        want = sum((column + bit in model[n]) << bit for bit in range(span))
                        assert ctx.get(getattr(dut, f"bits{n}")) == want
                    if fresh:
                        model[row] = set()
                    fresh = False
                    if put:
                        model[row].add(int(x))
                    await ctx.tick()
            ctx.set(dut.put, 0)

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("width", [17, 34, 100, 346, 1280])
def test_words_are_powers_of_two_that_hold_a_window(width: int) -> None:
    for span in range(1, 8):
        word = word_bits(width, span)
        assert word & (word - 1) == 0
        assert span <= word <= max(8, 2 * width**0.5)
