# amaranth: UnusedElaboratable=no
"""Queues, forks and lane converters against what a list of beats must do, under every kind of stall."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hw.streams.layout import TokenLayout
from hw.streams.stream import (
    BLOCK_DEPTH,
    Fork,
    Queue,
    StreamNarrower,
    StreamWidener,
    converter,
    converter_lanes,
    delay_line,
    queue_latency,
)
from models.ir.formats.dybit import DyBitType
from models.ir.frame import Frame
from models.ir.node import Shape
from tests.support.streams import Pace, Stall, run_op

LAYOUT = data.StructLayout({"end": 1, "value": 15})
DEPTHS = [1, 2, 3, 7, 8, BLOCK_DEPTH, BLOCK_DEPTH + 1, 200]


def numbered(count: int) -> list[int]:
    """Beats whose values count up, the last with ``end``."""
    return [n << 1 | (n == count) for n in range(1, count + 1)]


def drive(top: Module, process: Any) -> None:
    """Run an async function of the simulator's context to its end."""
    top.domains.sync = ClockDomain()
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(process)
    simulator.run()


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    ("source", "sink"),
    [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.4), (0.2, Pace.AFTER_VALID), (0.0, lambda cycle: cycle % 400 < 300)],
    ids=["none", "gaps", "back pressure", "both", "after valid", "bursts"],
)
def test_queue_passes_every_beat_in_order(depth: int, source: Stall, sink: Stall | Pace) -> None:
    beats = numbered(500 if depth >= BLOCK_DEPTH else 120)
    run = run_op(Queue(LAYOUT, depth), [beats], 1, source_stall=source, sink_stall=sink, seed=depth)
    assert run.payloads == beats


@pytest.mark.parametrize("depth", DEPTHS)
def test_queue_has_its_latency_and_a_beat_a_cycle(depth: int) -> None:
    beats = numbered(3 * depth + 20)
    run = run_op(Queue(LAYOUT, depth), [beats], 1)
    latency = queue_latency(depth)
    assert run.outputs[0][0] - run.accepted[0][0] == latency
    if depth > 1:
        assert [cycle for cycle, _ in run.outputs] == list(range(latency, latency + len(beats)))
        assert run.accepted[0] == list(range(len(beats)))


@pytest.mark.parametrize("depth", DEPTHS)
def test_queue_holds_depth_beats_while_the_sink_waits(depth: int) -> None:
    """Block memory's output register holds one beat more."""
    beats = numbered(2 * depth + 10)
    stopped = 3 * depth + 10
    run = run_op(Queue(LAYOUT, depth), [beats], 1, sink_stall=lambda cycle: cycle < stopped)
    held = sum(cycle < stopped for cycle in run.accepted[0])
    assert held == depth + (depth > BLOCK_DEPTH)
    assert run.payloads == beats


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3, 8, BLOCK_DEPTH + 1])
def test_queue_against_a_deque(depth: int, registered: bool) -> None:
    """Cycle by cycle: ready while not full, valid while a beat is old enough to show, the oldest beat first."""
    top = Module()
    top.submodules.queue = queue = Queue(8, depth, registered=registered)
    rng = random.Random(depth)
    block, latency = queue.registered, 1 + queue.registered

    async def bench(ctx: Any) -> None:
        model: deque[tuple[int, int]] = deque()
        put_share = 0.9
        shown = False
        for cycle in range(6 * depth + 400):
            put_share = (0.9, 0.1)[cycle // (2 * depth + 20) % 2]
            put, take, value = rng.random() < put_share, rng.random() < 1 - put_share, rng.randrange(256)
            ctx.set(queue.i.valid, put)
            ctx.set(queue.i.payload, value)
            ctx.set(queue.o.ready, take)
            in_memory = len(model) - (block and shown)
            assert ctx.get(queue.i.ready) == (in_memory < depth), f"cycle {cycle}"
            shown = bool(model) and cycle - model[0][0] >= latency
            assert ctx.get(queue.o.valid) == shown, f"cycle {cycle}"
            if shown:
                assert ctx.get(queue.o.payload) == model[0][1], f"cycle {cycle}"
            if shown and take:
                model.popleft()
            if put and in_memory < depth:
                model.append((cycle, value))
            # the output's register takes the oldest beat that was in memory before this cycle
            shown = bool(model) and cycle + 1 - model[0][0] >= latency
            await ctx.tick()

    drive(top, bench)


def test_queue_depth_must_be_positive() -> None:
    with pytest.raises(ValueError, match="queue depth must be positive, not 0"):
        Queue(8, 0)


@pytest.mark.parametrize("ways", [2, 3])
@pytest.mark.parametrize("pace", ["random", "one slow", "after valid"])
def test_fork_gives_every_way_every_beat(ways: int, pace: str) -> None:
    top = Module()
    top.submodules.fork = fork = Fork(LAYOUT, ways)
    beats = numbered(60)
    rng = random.Random(ways)
    got: list[list[int]] = [[] for _ in range(ways)]

    async def bench(ctx: Any) -> None:
        sent = 0
        outs = [getattr(fork, f"o{way}") for way in range(ways)]
        valid = False
        waiting: list[int | None] = [None] * ways
        for cycle in range(2000):
            if not valid:
                valid = sent < len(beats) and rng.random() < 0.7
            ctx.set(fork.i.valid, valid)
            ctx.set(fork.i.payload.as_value(), beats[sent] if valid else 0)
            for way, out in enumerate(outs):
                ready = rng.random() < (0.1 if pace == "one slow" and way == 1 else 0.6)
                if pace == "after valid":
                    ready = waiting[way] is not None
                ctx.set(out.ready, ready)
            for way, out in enumerate(outs):
                shows, payload = ctx.get(out.valid), ctx.get(out.payload.as_value())
                if waiting[way] is not None:
                    assert shows, f"cycle {cycle}: way {way} withdrew its beat"
                    assert payload == waiting[way]
                waiting[way] = None
                if shows and ctx.get(out.ready):
                    got[way].append(payload)
                elif shows:
                    waiting[way] = payload
            # no way runs more than one beat ahead of the slowest
            assert max(map(len, got)) - min(map(len, got)) <= 1
            if valid and ctx.get(fork.i.ready):
                sent, valid = sent + 1, False
                assert all(len(way) == sent for way in got), f"cycle {cycle}: the beat left before each way had it"
            await ctx.tick()
            if sent == len(beats):
                break

    drive(top, bench)
    assert got == [beats] * ways


def test_fork_passes_a_beat_a_cycle_at_once() -> None:
    class Joined(wiring.Component):
        """Way 1 is always ready."""

        def __init__(self) -> None:
            super().__init__({"i": In(stream.Signature(LAYOUT)), "o": Out(stream.Signature(LAYOUT))})

        def elaborate(self, platform: object) -> Module:
            m = Module()
            m.submodules.fork = fork = Fork(LAYOUT, 2)
            wiring.connect(m, wiring.flipped(self.i), fork.i)  # type: ignore[attr-defined]
            wiring.connect(m, fork.o0, wiring.flipped(self.o))  # type: ignore[attr-defined]
            m.d.comb += fork.o1.ready.eq(1)
            return m

    beats = numbered(30)
    run = run_op(Joined(), [beats], 1)
    assert run.outputs == list(enumerate(beats))


def test_fork_needs_two_ways() -> None:
    with pytest.raises(ValueError, match="two outputs or more, not 1"):
        Fork(8, 1)


SHAPE, DTYPE = Shape(3, 4, 12), DyBitType(4)


class Chain(wiring.Component):
    """The converters that ``converter_lanes`` names, one after the other."""

    def __init__(self, lanes: int, o_lanes: int) -> None:
        self.layouts = [TokenLayout(SHAPE, DTYPE, n) for n in (lanes, *converter_lanes(lanes, o_lanes))]
        super().__init__({"i": In(self.layouts[0].signature), "o": Out(self.layouts[-1].signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        before: Any = wiring.flipped(self.i)  # type: ignore[attr-defined]
        for step, (layout, after) in enumerate(zip(self.layouts, self.layouts[1:], strict=False)):
            m.submodules[f"step{step}"] = part = converter(layout, after.lanes)
            assert part.out == after
            wiring.connect(m, before, part.i)
            before = part.o
        wiring.connect(m, before, wiring.flipped(self.o))  # type: ignore[attr-defined]
        return m


def some_frames(seed: int) -> list[Frame]:
    """Full, empty and sparse frames, back to back."""
    rng = np.random.default_rng(seed)
    shares = (1.0, 0.0, 0.0, 0.5, 1.0, 0.3)
    side = SHAPE[:2]
    return [Frame.from_dense(rng.choice(DTYPE.values(), size=SHAPE), rng.random(side) < share) for share in shares]


@pytest.mark.parametrize(
    ("lanes", "o_lanes", "steps"),
    [
        (1, 12, [12]), (2, 6, [6]), (12, 1, [1]), (6, 3, [3]), (12, 4, [4]),
        (4, 6, [2, 6]), (6, 4, [2, 4]), (3, 4, [1, 4]), (4, 3, [1, 3]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("source", "sink"),
    [(0.0, 0.0), (0.4, 0.4), (0.1, Pace.AFTER_VALID), (0.0, 0.7)],
    ids=["none", "both", "after", "slow"],
)
def test_conversion_keeps_every_frame(
    lanes: int, o_lanes: int, steps: list[int], source: Stall, sink: Stall | Pace
) -> None:
    assert converter_lanes(lanes, o_lanes) == steps
    chain, frames = Chain(lanes, o_lanes), some_frames(lanes + o_lanes)
    beats = [beat for frame in frames for beat in chain.layouts[0].beats(frame)]
    run = run_op(chain, [beats], len(frames), source_stall=source, sink_stall=sink, seed=lanes)
    # not only the same frames: the very beats, with nothing left over in unused lanes of an end
    assert run.payloads == [beat for frame in frames for beat in chain.layouts[-1].beats(frame)]


def test_no_conversion_between_equal_lanes() -> None:
    assert converter_lanes(4, 4) == []


@pytest.mark.parametrize(("lanes", "o_lanes"), [(1, 4), (2, 12), (12, 3), (4, 1)])
def test_conversion_takes_one_cycle_and_a_beat_a_cycle_on_its_narrow_side(lanes: int, o_lanes: int) -> None:
    """II: input beats of a widening, output beats of a narrowing; latency 1 from the beat that completes one."""
    chain, frames = Chain(lanes, o_lanes), [frame for frame in some_frames(1) for _ in range(2)]
    before, after = chain.layouts
    beats = [beat for frame in frames for beat in before.beats(frame)]
    run = run_op(chain, [beats], len(frames))
    out_cycles = [cycle for cycle, _ in run.outputs]
    if o_lanes > lanes:
        assert run.accepted[0] == list(range(len(beats)))
        assert out_cycles[0] == o_lanes // lanes
        ends = [n for n, beat in enumerate(beats) if beat & 1]
        assert run.end_cycles == [cycle + 1 for cycle in ends]
    else:
        assert out_cycles == list(range(1, 1 + len(out_cycles)))
        assert run.accepted[0][1] - run.accepted[0][0] == lanes // o_lanes
    assert len(out_cycles) == sum(len(frame.sites) * after.beats_per_token + 1 for frame in frames)


def test_lanes_that_do_not_convert_are_named() -> None:
    with pytest.raises(ValueError, match="4 lanes do not widen to 6"):
        StreamWidener(TokenLayout(SHAPE, DTYPE, 4), 6)
    with pytest.raises(ValueError, match="6 lanes do not narrow to 4"):
        StreamNarrower(TokenLayout(SHAPE, DTYPE, 6), 4)


@pytest.mark.parametrize("cycles", [0, 1, 4])
def test_delayed(cycles: int) -> None:
    class Delay(wiring.Component):
        i: Any
        o: Any

        def __init__(self) -> None:
            super().__init__({"i": In(8), "o": Out(8)})

        def elaborate(self, platform: object) -> Module:
            m = Module()
            m.d.comb += self.o.eq(delay_line(m, self.i, cycles, "i"))
            return m

    top = Module()
    top.submodules.delay = delay = Delay()

    async def bench(ctx: Any) -> None:
        values = [(7 * n) % 251 for n in range(20)]
        for n, value in enumerate(values):
            ctx.set(delay.i, value)
            assert ctx.get(delay.o) == (values[n - cycles] if n >= cycles else 0)
            await ctx.tick()

    drive(top, bench)
