# amaranth: UnusedElaboratable=no
"""The whole interface around small accelerators, in Amaranth's simulator: answers, counts, resets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Cat

from benchmarks.inputs.nets import Builder, random_mapping
from benchmarks.inputs.ops import random_values
from benchmarks.inputs.packets import packets, random_frame, random_traffic, verdict, verdicts
from hw.accelerator.composition import AcceleratorTop
from hw.fpga.mapping import FrameInput, Mapping
from hw.interface.axi import AxiAccelerator, ResettableCore, VerilogCore
from hw.interface.axi_layout import Beat, Form, axi_input, axi_output
from hw.interface.registers import offsets, register_map
from hw.interface.rules import Fault
from models.ir import golden
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph
from tests.hw.interface.simulate import Bus, Sink, Source, packed, simulate, unpacked
from tests.hw.ops.test_warnings import messages
from tests.support.streams import run_op

BUILD = "0123456789abcdef" * 4


def classifier(rng: np.random.Generator, sparse: bool) -> Graph:
    net = Builder(rng, (5, 4, 2), IntType(4), sparse)
    net.conv(2, 3, "int4")
    net.global_pool("int8")
    return net.linear(3, "int4")


def feature_map(rng: np.random.Generator, sparse: bool) -> Graph:
    net = Builder(rng, (5, 4, 2), IntType(4), sparse)
    net.conv(2, 3, "int4", stride=2)
    return Graph("map", tuple(net.nodes), net.last)


DESIGNS = {
    "tokens to a vector": (lambda rng: classifier(rng, True), FrameInput.TOKENS),
    "pixels to a vector": (lambda rng: classifier(rng, False), FrameInput.TOKENS),
    "mask to tokens": (lambda rng: feature_map(rng, True), FrameInput.MASK),
    "tokens to tokens": (lambda rng: feature_map(rng, True), FrameInput.TOKENS),
    "pixels to pixels": (lambda rng: feature_map(rng, False), FrameInput.TOKENS),
    "whole mask to pixels": (lambda rng: feature_map(rng, False), FrameInput.MASK),
}


STALLS = [(0.0, 0.0), (0.4, 0.1), (0.1, 0.7)]
"""Shares in which the source and the sink stall."""


class Bench:
    """A design with its interface, and what it must answer."""

    def __init__(self, name: str, seed: int = 0) -> None:
        make, frame_input = DESIGNS[name]
        self.rng = np.random.default_rng(seed)
        self.graph = make(self.rng)
        self.mapping: Mapping = replace(random_mapping(self.rng, self.graph), frame_input=frame_input)
        accelerator = AcceleratorTop(self.graph, self.mapping)
        self.whole = not self.graph.input.sparse
        self.source, self.result = axi_input(accelerator.plan), axi_output(accelerator.plan)
        registers = register_map(BUILD, self.source, self.result)
        self.at = offsets(registers)
        self.dut = AxiAccelerator(self.source, self.result, self.whole, registers, ResettableCore(accelerator))
        self.bus = Bus(self.dut, "s_axi")

    def traffic(self, frames: int, share: float) -> list[Beat]:
        drawn = [random_frame(self.rng, self.source, self.whole) for _ in range(frames)]
        return random_traffic(self.rng, self.source, self.whole, drawn, share)

    def answer(self, frame: Frame) -> Frame:
        return golden.run(self.graph, frame)[self.graph.output]

    def streams(self, traffic: Sequence[Beat], source_stall: float, sink_stall: float) -> tuple[Source, Sink]:
        dut = self.dut
        i = Cat(dut.s_axis_tdata, dut.s_axis_tkeep, dut.s_axis_tlast)
        o = Cat(dut.m_axis_tdata, dut.m_axis_tkeep, dut.m_axis_tlast)
        words = [packed(self.source, beat) for beat in traffic]
        return (
            Source(i, dut.s_axis_tvalid, dut.s_axis_tready, words, source_stall, 1),
            Sink(o, dut.m_axis_tvalid, dut.m_axis_tready, sink_stall, 2),
        )

    def answers(self, sink: Sink) -> list[Frame]:
        return self.result.frames(unpacked(self.result, word) for word in sink.words)

    async def value(self, ctx: Any, name: str) -> int:
        data, response = await self.bus.read(ctx, self.at[name])
        assert response == 0
        return data


QUICK = [(name, stalls) for name, stalls in zip(DESIGNS, STALLS * 2, strict=True)]
REST = [
    pytest.param(name, stalls, marks=pytest.mark.slow)
    for name in DESIGNS
    for stalls in STALLS
    if (name, stalls) not in QUICK
]


@pytest.mark.few(1)
@pytest.mark.parametrize(("name", "stalls"), QUICK + REST)
def test_good_frames_between_bad_ones_are_golden_s(name: str, stalls: tuple[float, float]) -> None:
    bench = Bench(name)
    traffic = bench.traffic(24, 0.4)
    told = verdicts(bench.source, bench.whole, traffic)
    expected = [bench.answer(one) for one in told if isinstance(one, Frame)]
    kinds = Counter(one for one in told if isinstance(one, Fault))
    assert expected
    assert kinds
    source, sink = bench.streams(traffic, *stalls)
    counts: dict[str, int] = {}

    async def script(ctx: Any) -> None:
        while await bench.value(ctx, "status") or not source.done:
            pass
        counts.update({name: await bench.value(ctx, name) for name in bench.at})

    simulate(bench.dut, [source, sink], lambda _: bool(counts), script=script, own_clock=True)
    assert bench.answers(sink) == expected
    assert counts["frames_in"] == len(told)
    assert counts["frames_bad"] == kinds.total()
    assert counts["frames_out"] == len(expected)
    assert {fault: counts[f"error_{fault.name.lower()}"] for fault in Fault} == {fault: kinds[fault] for fault in Fault}
    assert counts["errors"] == sum(1 << fault for fault in kinds)
    assert counts["identity"] == 0x4E575631
    assert (counts["build_high"], counts["build_low"]) == (0x01234567, 0x89ABCDEF)
    assert counts["last_cycles"] > 0


def explained(outputs: Sequence[Frame], epochs: Sequence[Sequence[Frame]]) -> bool:
    """Whether the outputs are the first few answers of each epoch, one epoch after the other, and all of the last's."""
    reached = {0}
    for number, epoch in enumerate(epochs):
        after = set()
        for start in reached:
            for count in range(len(epoch) + 1):
                whole = number < len(epochs) - 1 or count == len(epoch)
                if whole and list(outputs[start : start + count]) == list(epoch[:count]):
                    after.add(start + count)
        reached = after
    return len(outputs) in reached


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 8))])
@pytest.mark.parametrize("name", DESIGNS)
def test_soft_resets_anywhere(name: str, seed: int) -> None:
    """After each of them nothing old comes out but the answer that was leaving; what comes in next is right."""
    bench = Bench(name, seed)
    traffic = bench.traffic(30, 0.2)
    source, sink = bench.streams(traffic, 0.2, 0.3)
    resets: list[int] = []
    counts: dict[str, int] = {}

    async def script(ctx: Any) -> None:
        while len(source.taken) < 0.8 * len(traffic):
            await ctx.tick().repeat(int(bench.rng.integers(1, 120)))
            await bench.bus.write(ctx, bench.at["control"], 1)
            # the write's answer comes in the cycle in which the streams stand still; nothing before it is kept
            resets.append(len(source.taken))
        while await bench.value(ctx, "status") or not source.done:
            pass
        counts.update({name: await bench.value(ctx, name) for name in bench.at})

    simulate(bench.dut, [source, sink], lambda _: bool(counts), script=script, own_clock=True)
    first, told = 0, []
    epochs: list[list[Frame]] = []
    cuts = [*resets, len(traffic)]
    stop = 0
    ends = [number for number, beat in enumerate(traffic) if beat.last]
    for cut in cuts:
        # frames of an epoch begin with the first beat after a tlast, once the reset is over
        inside = [end for end in ends if first <= end < cut]
        told = [
            verdict(bench.source, bench.whole, packet)
            for packet in packets(traffic[first : (inside or [first - 1])[-1] + 1])
        ]
        epochs.append([bench.answer(one) for one in told if isinstance(one, Frame)])
        first = (
            next((end + 1 for end in ends if end >= cut), len(traffic)) if cut and not traffic[cut - 1].last else cut
        )
        stop = cut
    assert stop == len(traffic)
    assert explained(bench.answers(sink), epochs)
    assert counts["frames_in"] == len(told)
    assert counts["frames_bad"] == sum(isinstance(one, Fault) for one in told)
    assert counts["frames_out"] == len(epochs[-1]) or len(epochs[-1]) < counts["frames_out"] <= len(epochs[-1]) + 1


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ["tokens to a vector", "mask to tokens", "pixels to pixels"])
def test_frames_follow_each_other_as_fast_as_through_the_accelerator(name: str) -> None:
    """The same frame again and again: cycles from one answer to the next, with the interface and without it."""
    bench = Bench(name)
    height, width, channels = bench.graph.input.shape
    values = random_values(bench.rng, bench.graph.input.dtype, (height, width, channels))
    frame, count = Frame.from_dense(values), 8
    traffic = bench.source.beats(frame) * count
    source, sink = bench.streams(traffic, 0.0, 0.0)
    answer = bench.result.beats(bench.answer(frame))
    simulate(bench.dut, [source, sink], lambda _: len(sink.words) == count * len(answer), own_clock=True)
    behind = sink.cycles[len(answer) - 1 :: len(answer)]
    alone = run_op(
        AcceleratorTop(bench.graph, bench.mapping), [bench.source.core.beats(frame) * count], count
    ).end_cycles
    assert np.diff(behind)[3:].tolist() == np.diff(alone)[3:].tolist()


def test_nothing_is_left_out_or_cut() -> None:
    """Amaranth has no warning for the interface's Verilog."""
    bench = Bench("mask to tokens")
    core = VerilogCore("netweave", bench.source, bench.result)

    def made() -> AxiAccelerator:
        return AxiAccelerator(
            bench.source, bench.result, bench.whole, register_map(BUILD, bench.source, bench.result), core
        )

    assert messages(made) == []


def test_forms_of_the_designs() -> None:
    forms = {name: (Bench(name).source.form, Bench(name).result.form) for name in DESIGNS}
    assert forms == {
        "tokens to a vector": (Form.TOKENS, Form.PIXELS),
        "pixels to a vector": (Form.PIXELS, Form.PIXELS),
        "mask to tokens": (Form.MASK, Form.TOKENS),
        "tokens to tokens": (Form.TOKENS, Form.TOKENS),
        "pixels to pixels": (Form.PIXELS, Form.PIXELS),
        "whole mask to pixels": (Form.MASK, Form.PIXELS),
    }
