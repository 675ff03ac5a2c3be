"""Playing raw beats through a component of the interface in Amaranth's simulator, with stalls."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from amaranth.hdl import ClockDomain, Module
from amaranth.lib import wiring
from amaranth.sim import Simulator

from hw.interface.axi_layout import AxiLayout, Beat


def packed(layout: AxiLayout, beat: Beat) -> int:
    """A beat as its struct's bits."""
    return beat.data | beat.keep << 8 * layout.bytes | beat.last << 9 * layout.bytes


def unpacked(layout: AxiLayout, bits: int) -> Beat:
    data = bits & (1 << 8 * layout.bytes) - 1
    return Beat(data, bits >> 8 * layout.bytes & layout.keep_all, bool(bits >> 9 * layout.bytes))


class Source:
    """Offers words at a stream, each until it is taken; ``stall`` is the share of cycles without a new one."""

    def __init__(self, payload: Any, valid: Any, ready: Any, words: Sequence[int], stall: float, seed: int) -> None:
        self.payload, self.valid, self.ready = payload, valid, ready
        self.words, self.stall, self.rng = list(words), stall, random.Random(seed)
        self.taken: list[int] = []
        """The cycle in which each word was taken."""

    def watched(self) -> list[Any]:
        return [self.valid, self.ready]

    def drive(self, ctx: Any, cycle: int, values: Sequence[int] | None) -> None:
        valid = False
        if values:
            valid, ready = values
            if valid and ready:
                self.taken.append(cycle)
                valid = False
        if not valid and len(self.taken) < len(self.words) and self.rng.random() >= self.stall:
            valid = True
            ctx.set(self.payload, self.words[len(self.taken)])
        ctx.set(self.valid, valid)

    @property
    def done(self) -> bool:
        return len(self.taken) == len(self.words)


class Sink:
    """Takes words from a stream; AssertionError where one that waits is withdrawn or changed."""

    def __init__(self, payload: Any, valid: Any, ready: Any, stall: float, seed: int) -> None:
        self.payload, self.valid, self.ready = payload, valid, ready
        self.stall, self.rng = stall, random.Random(seed)
        self.words: list[int] = []
        self.cycles: list[int] = []
        self.held: int | None = None

    def watched(self) -> list[Any]:
        return [self.payload, self.valid, self.ready]

    def drive(self, ctx: Any, cycle: int, values: Sequence[int] | None) -> None:
        if values:
            payload, valid, ready = values
            assert self.held is None or (valid and payload == self.held), f"cycle {cycle}: a waiting beat was withdrawn"
            self.held = payload if valid and not ready else None
            if valid and ready:
                self.words.append(payload)
                self.cycles.append(cycle)
        ctx.set(self.ready, self.rng.random() >= self.stall)


class Bus:
    """Reads and writes over AXI4-Lite in a testbench; gives (data, response) and the response."""

    def __init__(self, component: Any, prefix: str) -> None:
        self.port = lambda name: getattr(component, f"{prefix}_{name}")

    async def read(self, ctx: Any, address: int) -> tuple[int, int]:
        port = self.port
        ctx.set(port("araddr"), address)
        ctx.set(port("arvalid"), 1)
        await ctx.tick().until(port("arready"))
        ctx.set(port("arvalid"), 0)
        ctx.set(port("rready"), 1)
        data, response = await ctx.tick().sample(port("rdata"), port("rresp")).until(port("rvalid"))
        ctx.set(port("rready"), 0)
        return data, response

    async def write(self, ctx: Any, address: int, data: int, strobes: int = 15) -> int:
        port = self.port
        for name, value in (("awaddr", address), ("wdata", data), ("wstrb", strobes), ("awvalid", 1), ("wvalid", 1)):
            ctx.set(port(name), value)
        await ctx.tick().until(port("awready") & port("wready"))
        ctx.set(port("awvalid"), 0)
        ctx.set(port("wvalid"), 0)
        ctx.set(port("bready"), 1)
        (response,) = await ctx.tick().sample(port("bresp")).until(port("bvalid"))
        ctx.set(port("bready"), 0)
        return response


class Watch:
    """Collects ``values`` of every cycle in which ``when`` is not 0."""

    def __init__(self, when: Any, *values: Any) -> None:
        self.when, self.values = when, values
        self.seen: list[tuple[int, ...]] = []

    def watched(self) -> list[Any]:
        return [self.when, *self.values]

    def drive(self, ctx: Any, cycle: int, values: Sequence[int] | None) -> None:
        if values and values[0]:
            self.seen.append(tuple(values[1:]))


def simulate(
    component: wiring.Component,
    parts: Sequence[Any],
    done: Callable[[int], bool],
    *,
    script: Callable[[Any], Awaitable[None]] | None = None,
    limit: int = 100_000,
    own_clock: bool = False,
) -> int:
    """Run until ``done(cycle)``; AssertionError after ``limit`` cycles. Gives the cycles run.

    ``script``: a testbench beside the ``parts``; ``own_clock``: the component brings its clock domain.
    """
    watched = [part.watched() for part in parts]
    state = {"cycle": 0}

    async def drive(ctx: Any) -> None:
        for part in parts:
            part.drive(ctx, 0, None)
        async for _, _, *values in ctx.tick().sample(*(signal for group in watched for signal in group)):
            cycle = state["cycle"]
            for part, group in zip(parts, watched, strict=True):
                part.drive(ctx, cycle, values[: len(group)])
                values = values[len(group) :]
            state["cycle"] = cycle + 1

    top = Module()
    if not own_clock:
        top.domains.sync = ClockDomain()
    top.submodules.dut = component
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_process(drive)
    if script is not None:
        simulator.add_testbench(script)
    while not done(state["cycle"]):
        simulator.advance()
        assert state["cycle"] < limit, f"hang: nothing is done after {limit} cycles"
    return state["cycle"]
