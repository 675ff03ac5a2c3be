"""Linear: every output is a sum over the whole frame. A frame gives one token, then ``end``.

A token takes ``c_in/simd * c_out/pe`` cycles. The results of a frame, ``pe`` a beat, leave after its ``end``, while the
next frame is summed. Cycles a frame: ``tokens * c_in/simd * c_out/pe + 1``, at least ``c_out/pe + 1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.choice import times
from hw.arithmetic.frame_accumulator import FrameAccumulator
from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.multipliers import multipliers
from hw.arithmetic.output import CreditFifo, OutputSerializer, serializer_latency
from hw.arithmetic.weights import pack_codes, weight_word
from hw.fpga.device import Device
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, index
from hw.fpga.mapping import Memory, OpMapping
from hw.line_buffer.sequencer import Folds, Sequencer
from hw.line_buffer.token_buffer import SITE_LATENCY, TokenBuffer, read_latency, token_slots
from hw.ops.latency import OpLatency, at_frame_end
from hw.ops.op import Op, Tensor, divisors, frame_queue_depth
from hw.ops.process import TokenByToken
from hw.resources import arrays, requantizers, sequencing, sources, streams
from hw.resources.constants import constants
from hw.streams.stream import delay_line, queue_latency
from models.ir.accumulator import bounds, width
from models.ir.activity import Activity
from models.ir.node import Node
from models.ir.ops.linear import Linear


class LinearOp(Op):
    """A linear layer with its mapping.

    Parameters
        node       the layer
        inputs     its one input
        mapping    ``pe`` divides the outputs, ``simd`` the input channels; ``taps`` is 1
    Raises         ValueError: a mapping that does not fit the layer
    """

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
        self.mac_array.check(self.node.name)

    @property
    def out_lanes(self) -> int:
        return self.mapping.pe

    @property
    def folds(self) -> Folds:
        """How a site is split into steps."""
        words = self.inputs[0].shape.channels // self.mapping.simd
        return Folds(self.shape.channels // self.mapping.pe, words, 1, whole_frame=True)

    @cached_property
    def accumulator(self) -> tuple[int, int]:
        """The least and the largest sum of an output."""
        return bounds(self.node, self.inputs[0].dtype, self.inputs[0].shape)

    @cached_property
    def mac_array(self) -> MacArraySpec:
        """The multiply-accumulate array."""
        return MacArraySpec(
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
        """Cycles from the step of ``end`` to the first beat at ``o``: to the queue, and through it."""
        return self._cycles_to_queue + queue_latency(self.depth)

    @property
    def _cycles_to_queue(self) -> int:
        """Cycles from the step of ``end`` to the first beat into the queue: read, sums, accumulators, drain."""
        finish = read_latency(parallel=False) + self.mac_array.latency
        return finish + 1 + serializer_latency(self.node.dtype, self.node.requant)

    @property
    def depth(self) -> int:
        """Places of the output queue."""
        shape = self.inputs[0].shape
        period = max(shape.height * shape.width * self.folds.cycles(1) + 1, self.folds.end_interval)
        return frame_queue_depth(self.folds.end_beats, self._cycles_to_queue + 1, period)

    def cycles(self, activity: Activity) -> int:
        return max(round(activity.tokens_in * self.folds.cycles(1)) + 1, self.folds.end_interval)

    @property
    def start(self) -> int:
        return SITE_LATENCY

    def latency(self, activity: Activity) -> OpLatency:
        token = self.folds.cycles(1)
        arriving = round(activity.tokens_in * self.in_layout.beats_per_token)
        work = max(arriving, round(activity.tokens_in * token))
        return at_frame_end(self.start, token, work, self.pipeline, self.out_layout.beats_per_token)

    @property
    def process(self) -> TokenByToken:
        return TokenByToken(self.folds, token_slots(self.in_layout.beats_per_token, self.folds.cycles(1)))

    def weight_words(self) -> np.ndarray:
        """Weights ``[words, lanes]``, one memory word a step.

        Words are in the order of the site, the output-channel fold, the input word; the lanes of a word in the order of
        the output channel, the input channel.
        """
        pe, simd = self.mapping.pe, self.mapping.simd
        out, height, width_, c_in = self.node.weight.shape
        split = self.node.weight.reshape(out // pe, pe, height * width_, c_in // simd, simd)
        return split.transpose(2, 0, 3, 1, 4).reshape(-1, pe * simd)

    def parts(self, f: FpgaFamily) -> list[ResourceEstimate]:
        s, folds, shape = self.mac_array, self.folds, self.inputs[0].shape
        finish = read_latency(parallel=False) + s.latency
        sites = shape.height * shape.width
        words = sites * folds.neuron_folds * folds.synapse_folds
        slots = token_slots(self.in_layout.beats_per_token, folds.cycles(1))
        site = 1 + streams.place_bits(self.in_layout) + index(slots)
        steps = 3 + site + index(folds.neuron_folds) + index(folds.synapse_folds)
        steps += read_latency(parallel=False) + finish * (2 + index(folds.neuron_folds))
        memory = self.mapping.memory
        bits = sequencing.weight_bits(s, memory, words, self.weight_words)
        fixed = constants(f, s, words, self.weight_words)
        return [
            ResourceEstimate("steps", (1.0, index(words)), ff=steps),
            *sources.token_buffer(f, self.in_layout, folds.cycles(1)),
            sequencing.sequencer(folds, site),
            *sequencing.weights(f, bits, words, memory, index(words)),
            *arrays.sums(f, s, words, bits, memory, masked=False, fixed=fixed),
            arrays.frame_sums(f, self.mapping.pe, folds.neuron_folds, folds.beats, s.width, s.width),
            *requantizers.output_serializer(
                f, self.out_layout, self.mapping.pe, self.node.requant, self.accumulator, has_place=False
            ),
            *streams.output(f, self.out_layout, self.depth, folds.end_beats),
        ]

    def component(self) -> wiring.Component:
        return LinearComponent(self)


class LinearComponent(wiring.Component):
    """The hardware of a ``LinearOp``.

    Parameters
        op         the op
    Ports
        i          in, tokens of ``op.in_layout``
        o          out, one token a frame, then ``end``, of ``op.out_layout``
    Timing
        II         ``c_in/simd * c_out/pe`` cycles a token; 1 cycle an ``end``, at least ``op.folds.end_interval`` after
                   the one before
        latency    ``op.pipeline`` cycles from the step of ``end`` to the first beat at ``o``
    Reset          drops everything
    """

    def __init__(self, op: LinearOp) -> None:
        self.op = op
        super().__init__({"i": In(op.in_layout.signature), "o": Out(op.out_layout.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op, folds = self.op, self.op.folds
        pe = op.mapping.pe
        m.submodules.source = source = TokenBuffer(op.in_layout, folds.cycles(1))
        m.submodules.output = output = CreditFifo(op.out_layout, op.depth, folds.end_beats)
        m.submodules.sequencer = sequencer = Sequencer(folds, source.site_layout, op.depth)
        m.submodules.sums = sums = op.mac_array.component()
        m.submodules.frame = frame = FrameAccumulator(pe, folds.neuron_folds, folds.beats, op.mac_array.width)
        m.submodules.drain = drain = OutputSerializer(op.out_layout, pe, op.node.requant, op.accumulator)
        wiring.connect(m, wiring.flipped(self.i), source.i)
        wiring.connect(m, source.site, sequencer.site)
        wiring.connect(m, output.o, wiring.flipped(self.o))
        step, valid = sequencer.step, sequencer.valid
        fetch, finish = read_latency(parallel=False), read_latency(parallel=False) + op.mac_array.latency
        site = times(step.y, op.inputs[0].shape.width) + step.x
        address = times(times(site, folds.neuron_folds) + step.group, folds.synapse_folds) + step.word
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
            sums.first.eq(delay_line(m, step.first, fetch, "first")),
            sums.weights.eq(weight_word(m, words, op.mac_array.weight_bits, op.mapping.memory, address, 0)),
            frame.last.eq(delay_line(m, valid & step.last, finish, "last")),
            frame.group.eq(delay_line(m, step.group, finish, "group")),
            frame.end.eq(delay_line(m, valid & step.end, finish, "end")),
            drain.last.eq(frame.out_last),
            drain.end.eq(frame.out_end),
        ]
        for p, value in enumerate(sums.sums()):
            m.d.comb += getattr(frame, f"sum{p}").eq(value)
            m.d.comb += getattr(drain, f"sum{p}").eq(getattr(frame, f"total{p}"))
        return m
