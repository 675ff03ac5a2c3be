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
from hw.boards.uart import UartError, divisor
from hw.streams.layout import MaskLayout, TokenLayout
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.frame import Frame
from models.ir.golden import run
from models.ir.node import Shape

CYCLES = 5
"""Clock cycles a bit."""


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


async def say(ctx: Any, rx: Any, byte: int, stop: int = 1) -> None:
    for bit in (0, *(byte >> n & 1 for n in range(8)), stop):
        ctx.set(rx, bit)
        await ctx.tick().repeat(CYCLES)


def listener(tx: Any, heard: list[int], cycles: int = CYCLES) -> Any:
    """A receiver of its own: waits for the edge, then samples in the middle of each bit."""

    async def listen(ctx: Any) -> None:
        while True:
            await ctx.tick()
            if ctx.get(tx):
                continue
            await ctx.tick().repeat(cycles // 2)
            bits = []
            for _ in range(9):
                await ctx.tick().repeat(cycles)
                bits.append(ctx.get(tx))
            if bits.pop() == 1:
                heard.append(sum(bit << n for n, bit in enumerate(bits)))

    return listen


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


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("lanes", [1, 3])
def test_the_host_s_codes_are_the_layouts_(sparse: bool, lanes: int) -> None:
    rng = np.random.default_rng(0)
    tokens = TokenLayout(Shape(5, 7, 3), IntType(5), lanes)
    mask = rng.random((5, 7)) < 0.4 if sparse else np.ones((5, 7), bool)
    dense = rng.integers(1, 16, (5, 7, 3)) * rng.choice([-1, 1], (5, 7, 3)) * mask[..., None]
    frame = Frame.from_dense(dense, mask)
    for layout in (tokens, MaskLayout.of(tokens)):
        settings = line_settings(layout, tokens, sparse)
        assert host.encode(settings["input"], dense.tolist()) == layout.beats(frame)
    settings = line_settings(tokens, tokens, sparse)
    told = host.decode(settings["output"], tokens.beats(frame))
    assert [(y, x, codes) for y, x, codes in told] == [
        (y, x, features) for (y, x), features in zip(frame.sites.tolist(), frame.features.tolist(), strict=True)
    ]


def test_messages_in_pieces() -> None:
    line = line_settings(
        TokenLayout(Shape(1, 1, 1), parse_dtype("int8"), 1), TokenLayout(Shape(1, 1, 2), IntType(16), 2), False
    )
    talk = host.HostProtocol(line)
    said = b"A" + (0x12345678).to_bytes(line["out_bytes"], "little") + b"K"
    for n in range(len(said)):
        talk.receive(said[n : n + 1])
    assert talk.answers == [0x12345678]
    assert talk.credit == link.AHEAD + link.GRANT
    with pytest.raises(SystemExit, match="no message"):
        talk.receive(b"?")


@pytest.mark.parametrize("clock, baud, cycles", [(50e6, 1_000_000, 50), (12e6, 115_200, 104), (24.75e6, 1_000_000, 25)])
def test_cycles_a_bit(clock: float, baud: int, cycles: int) -> None:
    assert divisor(clock, baud) == cycles


@pytest.mark.parametrize("clock, baud", [(12e6, 4_000_000), (5.5e6, 1_000_000)])
def test_a_line_that_the_clock_cannot_make_is_refused(clock: float, baud: int) -> None:
    with pytest.raises(UartError, match=f"{baud} baud cannot be made from a clock of {clock / 1e6:g} MHz"):
        divisor(clock, baud)
