"""A circuit without back pressure in Amaranth's simulator: a step a cycle, and what comes of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from amaranth.hdl import ClockDomain, Elaboratable, Module
from amaranth.sim import Simulator

T = TypeVar("T")


def clocked(
    dut: Elaboratable, steps: int, latency: int, put: Callable[[Any, int], None], take: Callable[[Any], T]
) -> list[T]:
    """What ``take(ctx)`` reads ``latency`` cycles after each of the ``steps`` that ``put(ctx, step)`` sets."""
    got: list[T] = []

    async def bench(ctx: Any) -> None:
        for step in range(steps + latency):
            if step < steps:
                put(ctx, step)
            if step >= latency:
                got.append(take(ctx))
            await ctx.tick()

    top = Module()
    top.domains.sync = ClockDomain()
    top.submodules.dut = dut
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return got
