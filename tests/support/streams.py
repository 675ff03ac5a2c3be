"""Running one component in Amaranth's simulator with stalls, checking the stream rules on the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from amaranth.hdl import ClockDomain, Module
from amaranth.lib import stream, wiring
from amaranth.sim import Simulator


class Pace(Enum):
    """``AFTER_VALID``: the sink raises ``ready`` only after it has seen ``valid``, so a ``valid`` that waits hangs."""

    AFTER_VALID = "after valid"


Stall = float | Callable[[int], bool]
"""The share of cycles that stall, or a function of the cycle number that says whether it stalls."""


@dataclass(frozen=True)
class Run:
    """What a component did.

    ``outputs``: (cycle, payload) of every beat out of ``o``. ``accepted``: for each input stream
    the cycle at which each beat went in. ``flags``: the last value of every other output port.
    Cycle 0 is the first cycle in which a stream may move.
    """

    outputs: list[tuple[int, int]]
    accepted: list[list[int]]
    flags: dict[str, int]
    cycles: int

    @property
    def payloads(self) -> list[int]:
        return [payload for _, payload in self.outputs]

    @property
    def end_cycles(self) -> list[int]:
        """The cycle of each ``end`` beat out."""
        return [cycle for cycle, payload in self.outputs if payload & 1]


def run_op(
    component: wiring.Component,
    inputs: Sequence[Sequence[int]],
    ends: int,
    *,
    source_stall: Stall = 0.0,
    sink_stall: Stall | Pace = 0.0,
    seed: int = 0,
    limit_cycles: int = 100_000,
    drain_cycles: int = 8,
) -> Run:
    """Plays ``inputs`` into the component's input streams until ``ends`` beats with bit 0 set came out of ``o``.

    ``inputs``: one list of payloads for each input stream, in the order of the component's
    signature. Runs ``drain_cycles`` longer, in which surplus beats would show. AssertionError on a
    hang (``limit_cycles``), on a payload that changes and on a ``valid`` that falls while the sink
    was not ready.
    """
    names = [
        name
        for name, member in component.signature.members.items()
        if member.is_port is False and isinstance(member.signature, stream.Signature) and member.flow is wiring.In
    ]
    if len(names) != len(inputs):
        raise ValueError(f"the component has {len(names)} input streams ({', '.join(names)}), not {len(inputs)}")
    flag_names = [
        name for name, member in component.signature.members.items() if member.is_port and member.flow is wiring.Out
    ]
    sources = [getattr(component, name) for name in names]
    sink: Any = component.o  # type: ignore[attr-defined]
    watched = [sink.valid, sink.payload.as_value(), *(source.ready for source in sources)]
    flags = [getattr(component, name) for name in flag_names]

    rng = random.Random(seed)
    stalls = [_stall(source_stall, random.Random(rng.random())) for _ in sources]
    after_valid = sink_stall is Pace.AFTER_VALID
    sink_stalls = _stall(0.0 if isinstance(sink_stall, Pace) else sink_stall, random.Random(rng.random()))

    count = len(sources)
    accepted: list[list[int]] = [[] for _ in sources]
    outputs: list[tuple[int, int]] = []
    last_flags: list[int] = [0] * len(flags)
    state = {"cycle": 0, "ends": 0, "stop": limit_cycles, "done": False}

    async def drive(ctx: Any) -> None:
        cycle = 0
        valid = [False] * count
        ready = False
        held: int | None = None
        shown: list[bool | None] = [None] * count
        for k, source in enumerate(sources):
            valid[k] = bool(inputs[k]) and not stalls[k](0)
            ctx.set(source.valid, valid[k])
            if inputs[k]:
                ctx.set(source.payload.as_value(), inputs[k][0])
            shown[k] = valid[k]
        ready = not after_valid and not sink_stalls(0)
        ctx.set(sink.ready, ready)
        async for _, _, *values in ctx.tick().sample(*watched, *flags):
            out_valid, payload = values[0], values[1]
            if held is not None:
                assert out_valid, f"cycle {cycle}: o.valid fell before the sink took payload {held:#x}"
                assert payload == held, f"cycle {cycle}: o.payload went from {held:#x} to {payload:#x} while it waited"
            held = None
            if out_valid:
                if ready:
                    outputs.append((cycle, payload))
                    if payload & 1:
                        state["ends"] += 1
                        if state["ends"] == ends:
                            state["stop"] = cycle + drain_cycles
                else:
                    held = payload
            following = cycle + 1
            for k in range(count):
                taken = valid[k] and values[2 + k]
                if taken:
                    accepted[k].append(cycle)
                if taken or not valid[k]:
                    index = len(accepted[k])
                    valid[k] = index < len(inputs[k]) and not stalls[k](following)
                    if valid[k]:
                        ctx.set(sources[k].payload.as_value(), inputs[k][index])
                    if valid[k] is not shown[k]:
                        ctx.set(sources[k].valid, valid[k])
                        shown[k] = valid[k]
            now = bool(held is not None) if after_valid else not sink_stalls(following)
            if now is not ready:
                ctx.set(sink.ready, now)
                ready = now
            last_flags[:] = values[2 + count :]
            cycle = following
            state["cycle"] = cycle
            if cycle > state["stop"]:
                state["done"] = True

    top = Module()
    top.domains.sync = ClockDomain()
    top.submodules.dut = component
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_process(drive)
    while not state["done"]:
        simulator.advance()
    if state["ends"] < ends:
        moved = ", ".join(f"{name} {len(a)} of {len(i)}" for name, a, i in zip(names, accepted, inputs, strict=True))
        raise AssertionError(
            f"hang: after {state['cycle']} cycles {state['ends']} of {ends} frames and {len(outputs)} beats "
            f"came out; beats accepted: {moved}"
        )
    return Run(outputs, accepted, dict(zip(flag_names, last_flags, strict=True)), state["cycle"])


def _stall(stall: Stall, rng: random.Random) -> Callable[[int], bool]:
    if callable(stall):
        return stall
    if not 0.0 <= stall < 1.0:
        raise ValueError(f"a stall share must be at least 0 and below 1, not {stall!r}")
    return (lambda _: False) if stall == 0.0 else (lambda _: rng.random() < stall)
