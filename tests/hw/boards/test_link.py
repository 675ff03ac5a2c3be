"""The serial line and the accelerator behind it, in simulation: bytes in, bytes out, the answer golden's."""
# amaranth: UnusedElaboratable=no

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from benchmarks.inputs.nets import Builder, random_mapping
from hw.accelerator.composition import AcceleratorTop
from hw.boards import host, link
from hw.boards.link import SerialLink, beat_bytes
from hw.boards.project import line_settings
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.golden import run
from tests.hw.boards.serial_line import CYCLES, listener, say


class Serial(wiring.Component):
    """An accelerator behind a serial line, as ``BoardTop`` joins them."""

    def __init__(self, accelerator: AcceleratorTop) -> None:
        self.accelerator = accelerator
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "lost": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan = self.accelerator.plan
        m.submodules.link = line = SerialLink(plan.input_layout.width, plan.output.width, CYCLES)
        m.submodules.design = ResetInserter(line.restart)(self.accelerator)
        m.d.comb += [
            line.rx.eq(self.rx), self.tx.eq(line.tx), self.lost.eq(line.lost),
            self.accelerator.i.payload.eq(line.o.payload), self.accelerator.i.valid.eq(line.o.valid),
            line.o.ready.eq(self.accelerator.i.ready),
            line.i.payload.eq(self.accelerator.o.payload), line.i.valid.eq(self.accelerator.o.valid),
            self.accelerator.o.ready.eq(line.i.ready),
        ]  # fmt: skip
        return m


def net(sparse: bool) -> Any:
    builder = Builder(np.random.default_rng(3), (4, 5, 2), IntType(8, signed=False), sparse)
    builder.conv(3, 3, "int4")
    builder.global_pool("int4")
    return builder.linear(3, "int4")


@pytest.mark.few(1)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_answers_are_golden_s(sparse: bool) -> None:
    """Two frames, then a beat and a byte of another, a break, and a whole frame again."""
    graph = net(sparse)
    rng = np.random.default_rng(5)
    accelerator = AcceleratorTop(graph, random_mapping(rng, graph))
    plan = accelerator.plan
    frames = []
    for share in (0.6, 0.3, 0.9):
        mask = rng.random((4, 5)) < share if sparse else np.ones((4, 5), bool)
        frames.append(Frame.from_dense(rng.integers(0, 256, (4, 5, 2)), mask))
    expected = [plan.output.beats(run(graph, frame)[graph.output]) for frame in frames]
    top = Serial(accelerator)
    heard: list[int] = []
    talk = host.HostProtocol(line_settings(plan.input_layout, plan.output, sparse))

    async def bench(ctx: Any) -> None:
        async def answer(beats: list[int]) -> list[int]:
            talk.queue_beats(beats)
            for _ in range(200_000):
                for byte in talk.outgoing():
                    await say(ctx, top.rx, byte)
                talk.receive(bytes(heard))
                heard.clear()
                if talk.answers and talk.answers[-1] & 1:
                    done, talk.answers = talk.answers, []
                    return done
                await ctx.tick()
            raise AssertionError("no answer")

        await ctx.tick().repeat(20 * CYCLES)
        assert heard == [host.RESET]
        heard.clear()
        for frame, answers in zip(frames[:2], expected[:2], strict=True):
            assert await answer(plan.input_layout.beats(frame)) == answers
        for byte in plan.input_layout.beats(frames[2])[0].to_bytes(4, "little"):
            await say(ctx, top.rx, byte)
        await say(ctx, top.rx, 0, stop=0)
        await ctx.tick().repeat(20 * CYCLES)
        ctx.set(top.rx, 1)
        await ctx.tick().repeat(20 * CYCLES)
        assert heard.pop() == host.RESET
        heard.clear()
        talk.restart()
        assert await answer(plan.input_layout.beats(frames[2])) == expected[2]
        assert not ctx.get(top.lost)

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.add_testbench(listener(top.tx, heard), background=True)
    simulator.run()


@pytest.mark.few(1)
@pytest.mark.parametrize("in_bits, out_bits", [(1, 1), (8, 16), (9, 17)])
def test_nothing_is_lost_while_the_accelerator_waits(in_bits: int, out_bits: int) -> None:
    """An accelerator that takes a beat when it pleases, for more beats than the queue holds."""
    count = 2 * link.AHEAD + 7
    rng = np.random.default_rng(1)
    beats = [int(beat) for beat in rng.integers(0, 1 << in_bits, count)]
    top = SerialLink(in_bits, out_bits, 4)
    taken: list[int] = []
    heard: list[int] = []
    line = {"in_bytes": beat_bytes(in_bits), "out_bytes": beat_bytes(out_bits), "ahead": link.AHEAD}
    talk = host.HostProtocol(line | {"grant": link.GRANT})

    async def bench(ctx: Any) -> None:
        await ctx.tick().repeat(60)
        assert heard.pop() == host.RESET
        talk.queue_beats(beats)
        while len(taken) < count:
            for byte in talk.outgoing():
                for bit in (0, *(byte >> n & 1 for n in range(8)), 1):
                    ctx.set(top.rx, bit)
                    await ctx.tick().repeat(4)
            talk.receive(bytes(heard))
            heard.clear()
            await ctx.tick()
        assert taken == beats
        assert not ctx.get(top.lost)

    async def accelerator(ctx: Any) -> None:
        while True:
            # seldom ready at first, so that the queue fills
            ctx.set(top.o.ready, bool(rng.random() < (0.002 if len(taken) < 20 else 0.1)))
            _, _, valid, ready, payload = await ctx.tick().sample(top.o.valid, top.o.ready, top.o.payload)
            if valid and ready:
                taken.append(payload)

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.add_testbench(accelerator, background=True)
    simulator.add_testbench(listener(top.tx, heard, 4), background=True)
    simulator.run()


def test_beats_without_credit_are_dropped_and_noticed() -> None:
    top = SerialLink(8, 8, 4)

    async def bench(ctx: Any) -> None:
        # some lie in the registers behind the queue
        for number in range(link.AHEAD + 8):
            assert number >= link.AHEAD or not ctx.get(top.lost)
            for bit in (0, *(number >> n & 1 for n in range(8)), 1):
                ctx.set(top.rx, bit)
                await ctx.tick().repeat(4)
        assert ctx.get(top.lost)

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
