"""Linear: every output is a sum over the whole frame; one token out, then ``end``.

A token takes ``c_in/simd * c_out/pe`` cycles; the results, ``pe`` a beat, leave after the frame's ``end`` while the
next frame is summed. Cycles a frame: ``tokens * c_in/simd * c_out/pe + 1``, at least ``c_out/pe + 2`` between two ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.codes import times
from hw.device import Device
from hw.fabric import Family, Part, index
from hw.frame_sums import FrameSums
from hw.mac import Sums
from hw.mapping import Memory, OpMapping
from hw.multipliers import multipliers
from hw.op import Op, Tensor, Timing, divisors, frame_queue_depth
from hw.requantizer import Drain, Output, drain_latency
from hw.resources import arrays, requantizers, sequencing, sources, streams
from hw.sequencer import Rounds, Sequencer
from hw.source import SITE_LATENCY, TokenSource, read_latency, token_slots
from hw.stream import delayed, queue_latency
from hw.weights import pack_codes, weight_word
from models.ir.accumulator import bounds, width
from models.ir.activity import Activity
from models.ir.graph import Linear, Node


class LinearOp(Op):
    node: Linear

    @classmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        assert isinstance(node, Linear)
        for pe in divisors(node.weight.shape[0]):
            for simd in divisors(inputs[0].shape.channels):
                for memory in Memory.on(device):
                    for kind, operand in multipliers(device, inputs[0].dtype, node.weight_dtype, pe):
                        yield OpMapping(pe, simd, 1, memory, kind, operand)

    def check(self) -> None:
        self._divides("pe", self.shape.channels, "outputs")
        self._divides("simd", self.inputs[0].shape.channels, "input channels")
        self._one_of("taps", (1,))
        self.sums.check(self.node.name)

    @property
    def out_lanes(self) -> int:
        return self.mapping.pe

    @property
    def rounds(self) -> Rounds:
        words = self.inputs[0].shape.channels // self.mapping.simd
        return Rounds(self.shape.channels // self.mapping.pe, words, 1, whole_frame=True)

    @cached_property
    def accumulator(self) -> tuple[int, int]:
        return bounds(self.node, self.inputs[0].dtype, self.inputs[0].shape)

    @cached_property
    def sums(self) -> Sums:
        return Sums(
            pe=self.mapping.pe,
            simd=self.mapping.simd,
            taps=1,
            features=self.inputs[0].dtype,
            weights=self.node.weight_dtype,
            multiplier=self.mapping.multiplier,
            channelwise=False,
            width=width(*self.accumulator),
            operand=self.mapping.operand,
        )

    @property
    def pipeline(self) -> int:
        """Cycles from the step of ``end`` to the first beat at ``o``: what fills the queue, and the queue."""
        return self._filling + queue_latency(self.depth)

    @property
    def _filling(self) -> int:
        """Words, sums, the accumulators, the drain."""
        finish = read_latency(parallel=False) + self.sums.latency
        return finish + 1 + drain_latency(self.node.dtype, self.node.requant)

    @property
    def depth(self) -> int:
        shape = self.inputs[0].shape
        period = max(shape.height * shape.width * self.rounds.cycles(1) + 1, self.rounds.end_apart)
        return frame_queue_depth(self.rounds.end_beats, self._filling + 1, period)

    def cycles(self, activity: Activity) -> int:
        return max(round(activity.tokens_in * self.rounds.cycles(1)) + 1, self.rounds.end_apart)

    def timing(self) -> Timing:
        return Timing(SITE_LATENCY, self.pipeline, 0.0)

    def weight_words(self) -> np.ndarray:
        """A word a step: site, round, input word; within it output channel, input channel."""
        pe, simd = self.mapping.pe, self.mapping.simd
        out, height, width_, c_in = self.node.weight.shape
        split = self.node.weight.reshape(out // pe, pe, height * width_, c_in // simd, simd)
        return split.transpose(2, 0, 3, 1, 4).reshape(-1, pe * simd)

    def parts(self, f: Family) -> list[Part]:
        s, rounds, shape = self.sums, self.rounds, self.inputs[0].shape
        finish = read_latency(parallel=False) + s.latency
        sites = shape.height * shape.width
        words = sites * rounds.groups * rounds.words
        slots = token_slots(self.in_layout.beats_per_token, rounds.cycles(1))
        site = 1 + streams.place_bits(self.in_layout) + index(slots)
        steps = 3 + site + index(rounds.groups) + index(rounds.words)
        steps += read_latency(parallel=False) + finish * (2 + index(rounds.groups))
        memory = self.mapping.memory
        bits = sequencing.weight_bits(s, memory, words, self.weight_words)
        return [
            Part("steps", (1.0, index(words)), ff=steps),
            *sources.token_source(f, self.in_layout, rounds.cycles(1)),
            sequencing.sequencer(rounds, site),
            *sequencing.weights(f, bits, words, memory, index(words)),
            *arrays.sums(f, s, words, bits, memory, masked=False),
            arrays.frame_sums(f, self.mapping.pe, rounds.groups, rounds.beats, s.width, s.width),
            *requantizers.drain(f, self.out_layout, self.mapping.pe, self.node.requant, self.accumulator, placed=False),
            *streams.output(f, self.out_layout, self.depth, rounds.end_beats),
        ]

    def component(self) -> wiring.Component:
        return LinearComponent(self)


class LinearComponent(wiring.Component):
    """In ``i``, out ``o``; see ``LinearOp`` for its cycles. Reset drops everything."""

    def __init__(self, op: LinearOp) -> None:
        self.op = op
        super().__init__({"i": In(op.in_layout.signature), "o": Out(op.out_layout.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op, rounds = self.op, self.op.rounds
        pe = op.mapping.pe
        m.submodules.source = source = TokenSource(op.in_layout, rounds.cycles(1))
        m.submodules.output = output = Output(op.out_layout, op.depth, rounds.end_beats)
        m.submodules.sequencer = sequencer = Sequencer(rounds, source.site_layout, op.depth)
        m.submodules.sums = sums = op.sums.component()
        m.submodules.frame = frame = FrameSums(pe, rounds.groups, rounds.beats, op.sums.width)
        m.submodules.drain = drain = Drain(op.out_layout, pe, op.node.requant, op.accumulator)
        wiring.connect(m, wiring.flipped(self.i), source.i)
        wiring.connect(m, source.site, sequencer.site)
        wiring.connect(m, output.o, wiring.flipped(self.o))
        step, valid = sequencer.step, sequencer.valid
        fetch, finish = read_latency(parallel=False), read_latency(parallel=False) + op.sums.latency
        site = times(step.y, op.inputs[0].shape.width) + step.x
        address = times(times(site, rounds.groups) + step.group, rounds.words) + step.word
        words = pack_codes(op.weight_words(), op.node.weight_dtype)
        m.d.comb += [
            source.done.eq(sequencer.done),
            sequencer.open.eq(output.open),
            output.reserve.eq(sequencer.reserve),
            output.push.eq(drain.push),
            output.payload.eq(drain.payload),
            source.read_slot.eq(step.slot),
            source.read_word.eq(step.word),
            sums.features.eq(source.read_data),
            sums.mask.eq(1),
            sums.first.eq(delayed(m, step.first, fetch, "first")),
            sums.weights.eq(weight_word(m, words, op.sums.weight_bits, op.mapping.memory, address, 0)),
            frame.last.eq(delayed(m, valid & step.last, finish, "last")),
            frame.group.eq(delayed(m, step.group, finish, "group")),
            frame.end.eq(delayed(m, valid & step.end, finish, "end")),
            drain.last.eq(frame.out_last),
            drain.end.eq(frame.out_end),
        ]
        for p, value in enumerate(sums.sums()):
            m.d.comb += getattr(frame, f"sum{p}").eq(value)
            m.d.comb += getattr(drain, f"sum{p}").eq(getattr(frame, f"total{p}"))
        return m
