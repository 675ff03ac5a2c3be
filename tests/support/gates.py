"""Combinational logic in Amaranth's simulator: what comes out for each row of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import ClockDomain, Module, Signal
from amaranth.sim import Simulator


def evaluate(
    m: Module, inputs: Sequence[Signal], outputs: Sequence[Signal], rows: Sequence[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """The outputs of combinational logic for each row of inputs."""
    results: list[tuple[int, ...]] = []

    async def bench(ctx: Any) -> None:
        for row in rows:
            for signal, value in zip(inputs, row, strict=True):
                ctx.set(signal, value)
            results.append(tuple(ctx.get(signal) for signal in outputs))

    m.domains.sync = ClockDomain()
    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    return results
