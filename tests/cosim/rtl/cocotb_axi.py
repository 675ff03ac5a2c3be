"""What runs inside the simulator: the generated AXI top among cocotbext-axi's sources, sinks and masters.

``case.json`` in the run's folder holds the manifest's path, packets of raw beats, and the beats of every answer.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import logging
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
import pytest
from cocotb.clock import Clock
from cocotb.task import bridge, resume
from cocotb.triggers import ClockCycles
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

CASE = json.loads(Path("case.json").read_text())
AXI = json.loads(Path(CASE["manifest"]).read_text())["axi"]
AT = AXI["registers"]


def pauses(kind: str, seed: int) -> Iterator[bool]:
    """Never, now and then, or seldom but for long."""
    rng = random.Random(seed)
    while True:
        if kind == "never":
            yield False
        elif kind == "often":
            yield rng.random() < 0.5
        else:
            yield from itertools.repeat(rng.random() < 0.3, rng.randrange(1, 60))


class Bench:
    """The design between masters, freshly reset."""

    @classmethod
    async def of(cls, dut: Any) -> Bench:
        self = cls()
        logging.getLogger("cocotb").setLevel(logging.WARNING)
        self.dut = dut
        Clock(dut.aclk, 10, unit="ns").start()
        reset = {"reset": dut.aresetn, "reset_active_level": False}
        dut.aresetn.value = 0
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk, **reset)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk, **reset)
        self.lite = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), dut.aclk, **reset)
        await ClockCycles(dut.aclk, 5)
        dut.aresetn.value = 1
        await ClockCycles(dut.aclk, 2)
        return self

    async def read(self, name: str) -> int:
        response = await self.lite.read(AT[name], 4)
        assert response.resp == AxiResp.OKAY
        return int.from_bytes(response.data, "little")

    async def write(self, name: str, value: int) -> None:
        assert (await self.lite.write(AT[name], value.to_bytes(4, "little"))).resp == AxiResp.OKAY

    async def quiet(self) -> None:
        """Wait until all that was sent is through."""
        while not self.source.idle() or await self.read("status"):
            await ClockCycles(self.dut.aclk, 20)
        await ClockCycles(self.dut.aclk, 20)


def raw(packet: list[list[int]]) -> AxiStreamFrame:
    size = AXI["input"]["bytes"]
    data = b"".join(data.to_bytes(size, "little") for data, _ in packet)
    return AxiStreamFrame(data, tkeep=[keep >> n & 1 for _, keep in packet for n in range(size)])


def answers(sink: AxiStreamSink) -> list[list[list[int]]]:
    """[data, keep] of every beat of every frame that came out."""
    size = AXI["output"]["bytes"]
    frames = []
    while not sink.empty():
        frame = sink.recv_nowait(compact=False)
        beats = []
        for first in range(0, len(frame.tdata), size):
            keep = sum(bit << n for n, bit in enumerate(frame.tkeep[first : first + size]))
            beats.append([int.from_bytes(frame.tdata[first : first + size], "little"), keep])
        frames.append(beats)
    return frames


@cocotb.test()
@cocotb.parametrize(source=["never", "often", "long"], sink=["never", "often", "long"])
async def traffic(dut: Any, source: str, sink: str) -> None:
    """Good frames between bad ones, under pauses on every side."""
    bench = await Bench.of(dut)
    bench.source.set_pause_generator(pauses(source, 1))
    bench.sink.set_pause_generator(pauses(sink, 2))
    bench.lite.read_if.r_channel.set_pause_generator(pauses("often", 3))
    bench.lite.read_if.ar_channel.set_pause_generator(pauses("often", 4))
    for packet in CASE["packets"]:
        await bench.source.send(raw(packet))
    await bench.quiet()
    assert answers(bench.sink) == CASE["answers"]
    assert await bench.read("frames_in") == len(CASE["packets"])
    assert await bench.read("frames_out") == len(CASE["answers"])
    assert await bench.read("frames_bad") == sum(CASE["faults"].values())
    assert {name: await bench.read(f"error_{name}") for name in AXI["errors"]} == CASE["faults"]
    # what was counted can be cleared, the flags one by one
    flags = await bench.read("errors")
    assert flags == sum(1 << bit for bit, count in enumerate(CASE["faults"].values()) if count)
    await bench.write("errors", flags & -flags)
    assert await bench.read("errors") == flags & (flags - 1)
    assert 0 < await bench.read("last_cycles") <= await bench.read("busy_cycles")
    await bench.write("control", AXI["control"]["clear"])
    assert [await bench.read(name) for name in ("errors", "frames_in", "frames_bad", "busy_cycles")] == [0] * 4


@cocotb.test()
async def bus(dut: Any) -> None:
    """Constants, strobes, addresses without a register, and all that under pauses of every channel."""
    bench = await Bench.of(dut)
    channels = [bench.lite.read_if.ar_channel, bench.lite.read_if.r_channel]
    channels += [bench.lite.write_if.aw_channel, bench.lite.write_if.w_channel, bench.lite.write_if.b_channel]
    for seed, channel in enumerate(channels):
        channel.set_pause_generator(pauses("often", seed))
    for name, value in AXI["constants"].items():
        assert await bench.read(name) == value
    rng = random.Random(5)
    scratch = bytearray(4)
    for _ in range(60):
        first = rng.randrange(4)
        data = rng.randbytes(rng.randrange(1, 5 - first))
        assert (await bench.lite.write(AT["scratch"] + first, data)).resp == AxiResp.OKAY
        scratch[first : first + len(data)] = data
        assert await bench.read("scratch") == int.from_bytes(scratch, "little")
    past = max(AT.values()) + 4
    for address in (past, 0x400, 0xFFC):
        assert (await bench.lite.read(address, 4)).resp == AxiResp.DECERR
        assert (await bench.lite.write(address, b"\1\2\3\4")).resp == AxiResp.DECERR
    for name in ("identity", "status", "frames_in", "in_height"):
        before = await bench.read(name)
        assert (await bench.lite.write(AT[name], b"\xff\xff\xff\xff")).resp == AxiResp.SLVERR
        assert await bench.read(name) == before
    # a control bit whose strobe is not set does nothing
    await bench.source.send(raw(CASE["packets"][0]))
    await bench.quiet()
    assert (await bench.lite.write(AT["control"] + 1, b"\xff\xff\xff")).resp == AxiResp.OKAY
    assert await bench.read("frames_in") == 1


@cocotb.test()
@cocotb.parametrize(hard=[False, True])
async def resets(dut: Any, hard: bool) -> None:
    """Resets anywhere in frames: the stream goes on at the next frame, and what comes out then is right."""
    bench = await Bench.of(dut)
    rng = random.Random(6)
    bench.source.set_pause_generator(pauses("often", 1))
    bench.sink.set_pause_generator(pauses("often", 2))
    good = [packet for packet, fault in zip(CASE["packets"], CASE["told"], strict=True) if fault is None]
    for _ in range(40):
        for packet in rng.choices(CASE["packets"], k=3):
            await bench.source.send(raw(packet))
        await ClockCycles(dut.aclk, rng.randrange(1, 150))
        if hard:
            dut.aresetn.value = 0
            await ClockCycles(dut.aclk, 2)
            dut.aresetn.value = 1
            bench.source.clear()
        else:
            await bench.write("control", AXI["control"]["soft_reset"])
        await bench.quiet()
        bench.sink.clear()
        before = await bench.read("frames_out")
        number = rng.randrange(len(good))
        await bench.source.send(raw(good[number]))
        await bench.quiet()
        assert answers(bench.sink) == [CASE["answers"][number]]
        assert await bench.read("frames_out") == before + 1


class Channel:
    """One side of a DMA engine as PYNQ shows it."""

    def __init__(self, bench: Bench, sending: bool) -> None:
        self.bench, self.sending = bench, sending
        self.buffer: np.ndarray | None = None
        self.error = False

    def transfer(self, buffer: np.ndarray) -> None:
        assert self.idle, "the channel is busy"
        self.buffer = buffer
        if self.sending:
            resume(self.bench.source.send)(AxiStreamFrame(bytes(buffer)))

    @property
    def idle(self) -> bool:
        resume(self._step)()
        return self.buffer is None

    async def _step(self) -> None:
        await ClockCycles(self.bench.dut.aclk, 10)
        if self.buffer is None:
            return
        if self.sending:
            if self.bench.source.idle():
                self.buffer = None
        elif not self.bench.sink.empty():
            data = self.bench.sink.recv_nowait(compact=True).tdata
            self.buffer[: len(data)] = np.frombuffer(bytes(data), np.uint8)
            self.buffer = None


class Dma:
    def __init__(self, bench: Bench) -> None:
        self.sendchannel, self.recvchannel = Channel(bench, True), Channel(bench, False)


class Mmio:
    def __init__(self, bench: Bench) -> None:
        self.lite = bench.lite

    def read(self, offset: int) -> int:
        return int.from_bytes(resume(self.lite.read)(offset, 4).data, "little")

    def write(self, offset: int, value: int) -> None:
        resume(self.lite.write)(offset, value.to_bytes(4, "little"))


@cocotb.test()
async def driver(dut: Any) -> None:
    """The design's own driver: answers, refused frames, a frame that never ends, resets, a wrong design."""
    bench = await Bench.of(dut)
    await bridge(_drive)(bench)


def _drive(bench: Bench) -> None:
    spec = importlib.util.spec_from_file_location(
        "netweave_driver", Path(CASE["manifest"]).with_name("netweave_driver.py")
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def buffer(size: int) -> np.ndarray:
        return np.zeros(size, np.uint8)

    net = module.Accelerator(Dma(bench), Mmio(bench), CASE["manifest"], buffer)
    for frame in CASE["frames"]:
        answer = net.run(np.array(frame["values"]), np.array(frame["mask"], bool), timeout=30)
        assert answer.values.tolist() == frame["answer"]
        assert answer.mask.tolist() == frame["answer_mask"]
    count = len(CASE["frames"])
    counters = net.counters()
    assert (counters["frames_in"], counters["frames_out"], counters["frames_bad"]) == (count, count, 0)
    assert counters["last_cycles"] <= counters["busy_cycles"]

    frame = max(CASE["frames"], key=lambda frame: np.sum(frame["mask"]))
    whole = net.input.encode(np.array(frame["values"]), np.array(frame["mask"], bool))
    short = whole[: len(whole) - AXI["input"]["bytes"]]
    with pytest.raises(module.NetweaveError, match="refused: short: "):
        net.run_bytes(short, timeout=30)
    # the receiver waits still, and takes the next answer
    assert net.run_bytes(whole, timeout=30).values.tolist() == frame["answer"]
    assert net.errors() == {name: int(name == "short") for name in AXI["errors"]}
    net.reset(timeout=30)
    assert not any(net.errors().values())
    assert not any(net.status().values())
    assert net.run_bytes(whole, timeout=30).values.tolist() == frame["answer"]
    net.clear()
    assert net.counters()["frames_in"] == 0
    bench.source.pause = True
    with pytest.raises(module.NetweaveError, match=r"no answer within 0.05 s; status .*open.: False"):
        net.run_bytes(whole, timeout=0.05)
    wrong = json.loads(Path(CASE["manifest"]).read_text())
    wrong["axi"]["constants"]["build_low"] ^= 1
    Path("wrong.json").write_text(json.dumps(wrong))
    with pytest.raises(module.NetweaveError, match="build_low is 0x"):
        module.Accelerator(Dma(bench), Mmio(bench), "wrong.json", buffer)
