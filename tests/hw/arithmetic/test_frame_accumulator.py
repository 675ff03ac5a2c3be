"""The sums of whole frames, cycle by cycle against sums of lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hw.arithmetic.frame_accumulator import FrameAccumulator

WIDTH = 12


@pytest.mark.parametrize(("pe", "folds", "beats"), [(1, 1, 1), (2, 3, 1), (3, 2, 2), (1, 4, 3), (2, 1, 4)])
def test_against_sums_of_lists(pe: int, folds: int, beats: int) -> None:
    """Frames of no token to three follow each other as fast as the sums may leave, or with pauses."""
    rng = np.random.default_rng(folds)
    dut = FrameAccumulator(pe, folds, beats, WIDTH)
    top = Module()
    top.domains.sync = ClockDomain()
    top.submodules.dut = dut
    # by cycle: (group, sums to add) or "end"; and what must be seen: the sums, first cycles of groups, ends
    inputs: dict[int, tuple[int, list[int]] | str] = {}
    sums: dict[int, list[int]] = {}
    starts: set[int] = set()
    ends: set[int] = set()
    cycle = free = 0
    for tokens in [1, 0, 0, 3, 2, 0, 1, *rng.integers(0, 4, 3)]:
        total = np.zeros((folds, pe), dtype=int)
        for _ in range(tokens):
            for group in range(folds):
                cycle += int(rng.integers(1, 3))
                added = rng.integers(-500, 500, pe)
                inputs[cycle] = group, added.tolist()
                total[group] += added
        cycle = max(cycle + int(rng.integers(1, 3)), free)
        inputs[cycle] = "end"
        free = cycle + folds * beats + 1
        for group in range(folds):
            first = cycle + 1 + group * beats
            starts.add(first)
            sums |= {first + beat: total[group].tolist() for beat in range(beats)}
        ends.add(free)

    async def bench(ctx: Any) -> None:
        for now in range(free + 3):
            event = inputs.get(now)
            ctx.set(dut.end, event == "end")
            ctx.set(dut.last, isinstance(event, tuple))
            if isinstance(event, tuple):
                group, added = event
                ctx.set(dut.group, group)
                for p, value in enumerate(added):
                    ctx.set(getattr(dut, f"sum{p}"), value)
            assert ctx.get(dut.out_last) == (now in starts), f"cycle {now}"
            assert ctx.get(dut.out_end) == (now in ends), f"cycle {now}"
            if now in sums:
                assert [ctx.get(getattr(dut, f"total{p}")) for p in range(pe)] == sums[now], f"cycle {now}"
            await ctx.tick()

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
