"""A generator of sites in Amaranth's simulator, with a model of the sequencer that reads the words of each site."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

Read = tuple[dict[str, int], list[int | None]]
"""What is asked for, by port, and the codes that must come, lowest first; None for a code that may be anything."""


class Site(NamedTuple):
    """A site that was offered, and the cycle in which it was first shown."""

    cycle: int
    fields: dict[str, int]


def play(
    dut: Any,
    beats: Sequence[int],
    count: int,
    reads: Callable[[dict[str, int]], list[Read]],
    latency: int,
    *,
    begins: bool = False,
    stall: float = 0.0,
) -> tuple[list[Site], list[int]]:
    """(the sites, the cycle in which each beat was accepted) of ``count`` sites, of which all words are read and right.

    Beats come as fast as they are accepted. A site's ``reads`` are issued one per cycle; a share ``stall`` of cycles
    issues none. ``begins``: ``done`` says that a site begins, as a sparse generator wants it.
    """
    rng = random.Random(1)
    layout = dut.site_layout.members
    sites: list[Site] = []
    accepted: list[int] = []
    width = dut.layout.dtype.width

    async def bench(ctx: Any) -> None:
        waiting: deque[dict[str, int]] = deque()
        current: deque[Read] | None = None
        release = finished = 0
        due: dict[int, list[int | None]] = {}
        cycle = 0
        first_shown: int | None = None
        while finished < count or due:
            assert cycle < 5000, f"hang: {finished} of {count} sites"
            sent = len(accepted)
            ctx.set(dut.i.valid, sent < len(beats))
            if sent < len(beats):
                ctx.set(dut.i.payload.as_value(), beats[sent])
            ctx.set(dut.site.ready, len(waiting) < 2)
            done = 0
            if rng.random() >= stall:
                if current is None and waiting and not begins:
                    fields = waiting.popleft()
                    current, release = deque(reads(fields)), fields.get("release", 0)
                if current:
                    ports, due[cycle + latency] = current.popleft()
                    for name, value in ports.items():
                        ctx.set(getattr(dut, name), value)
                if current is not None and not current:
                    current = None
                    finished += 1
                    done = not begins
                if begins and current is None:
                    ctx.set(dut.idle, not waiting)
                    if waiting:
                        fields = waiting.popleft()
                        current, release, done = deque(reads(fields)), fields["release"], 1
                elif begins:
                    ctx.set(dut.idle, 0)
            elif begins:
                ctx.set(dut.idle, 0)
            ctx.set(dut.done, done)
            if "release" in layout:
                ctx.set(dut.releases, release)
            if cycle in due:
                data = ctx.get(dut.read_data)
                for n, expected in enumerate(due.pop(cycle)):
                    code = data >> n * width & (1 << width) - 1
                    assert expected in (None, code), f"cycle {cycle}, code {n}: {code} instead of {expected}"
            if ctx.get(dut.site.valid):
                first_shown = cycle if first_shown is None else first_shown
                if len(waiting) < 2 and ctx.get(dut.site.ready):
                    fields = {name: int(ctx.get(getattr(dut.site.payload, name))) for name in layout}
                    sites.append(Site(first_shown, fields))
                    waiting.append(fields)
                    first_shown = None
            if sent < len(beats) and ctx.get(dut.i.ready):
                accepted.append(cycle)
            await ctx.tick()
            cycle += 1

    top = Module()
    top.domains.sync = ClockDomain()
    top.submodules.dut = dut
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return sites, accepted
