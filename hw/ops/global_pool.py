"""Global pooling: the requantized sum over all sites. A frame gives one token, then ``end``.

It takes ``pe`` channels a cycle (``simd == pe``) and sends the result of a frame while the next frame is summed. Cycles
a frame: ``tokens * c/pe + 1``, at least ``c/pe + 1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.frame_accumulator import FrameAccumulator
from hw.arithmetic.output import CreditFifo, OutputSerializer, serializer_latency
from hw.fpga.device import Device
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, index
from hw.fpga.mapping import OpMapping
from hw.ops.latency import OpLatency, at_frame_end
from hw.ops.op import Op, Tensor, divisors, frame_queue_depth
from hw.ops.process import FrameEnd
from hw.resources import arrays, requantizers, streams
from hw.streams.layout import index_bits
from hw.streams.stream import queue_latency
from models.ir.accumulator import bounds, width
from models.ir.activity import Activity
from models.ir.node import Node
from models.ir.ops.global_pool import GlobalPool


class GlobalPoolOp(Op):
    """A global pooling with its mapping.

    Parameters
        node       the pooling
        inputs     its one input
        mapping    ``pe`` divides the channels, ``simd == pe``, ``taps`` is 1
    Raises         ValueError: a mapping that does not fit the node
    """

    node: GlobalPool

    @classmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        for pe in divisors(inputs[0].shape.channels):
            yield OpMapping(pe, pe)

    def check(self) -> None:
        self._divides("pe", self.shape.channels, "channels")
        self._one_of("simd", (self.mapping.pe,))
        self._one_of("taps", (1,))

    @property
    def out_lanes(self) -> int:
        return self.mapping.pe

    @property
    def neuron_folds(self) -> int:
        """Beats of a token."""
        return self.shape.channels // self.mapping.pe

    @property
    def end_beats(self) -> int:
        """Beats of the result of a frame, its ``end`` included."""
        return self.neuron_folds + 1

    @cached_property
    def accumulator(self) -> tuple[int, int]:
        """The least and the largest sum of a channel."""
        return bounds(self.node, self.inputs[0].dtype, self.inputs[0].shape)

    @property
    def pipeline(self) -> int:
        """Cycles from taking ``end`` to the first beat at ``o``: to the queue, and through it."""
        return self._cycles_to_queue + queue_latency(self.depth)

    @property
    def _cycles_to_queue(self) -> int:
        """Cycles from taking ``end`` to the first beat into the queue: a register, the accumulators, the drain."""
        return 1 + 1 + serializer_latency(self.node.dtype, self.node.requant)

    @property
    def depth(self) -> int:
        """Places of the output queue."""
        shape = self.inputs[0].shape
        period = max(shape.height * shape.width * self.neuron_folds + 1, self.end_beats)
        return frame_queue_depth(self.end_beats, self._cycles_to_queue + 1, period)

    def cycles(self, activity: Activity) -> int:
        return max(round(activity.tokens_in * self.neuron_folds) + 1, self.end_beats)

    @property
    def start(self) -> int:
        return 0

    def latency(self, activity: Activity) -> OpLatency:
        arriving = round(activity.tokens_in * self.in_layout.beats_per_token)
        return at_frame_end(self.start, 1, arriving, self.pipeline, self.out_layout.beats_per_token)

    @property
    def process(self) -> FrameEnd:
        return FrameEnd(self.end_beats)

    def parts(self, f: FpgaFamily) -> list[ResourceEstimate]:
        dtype, pe = self.inputs[0].dtype, self.mapping.pe
        counts = index(self.end_beats) + index(self.neuron_folds)
        return [
            ResourceEstimate(
                "collect", (1.0, counts, self.depth.bit_length()),
                ff=counts + index(self.neuron_folds) + 2 + pe * dtype.decoded_width,
            ),
            ResourceEstimate("operands", (pe * codec(dtype).decoder_luts(f.lut_inputs), 0, 0)),
            arrays.frame_sums(f, pe, self.neuron_folds, 1, width(*self.accumulator), signed_width(dtype)),
            *requantizers.output_serializer(
                f, self.out_layout, pe, self.node.requant, self.accumulator, has_place=False
            ),
            *streams.output(f, self.out_layout, self.depth, self.end_beats),
        ]  # fmt: skip

    def component(self) -> wiring.Component:
        return GlobalPoolComponent(self)


class GlobalPoolComponent(wiring.Component):
    """The hardware of a ``GlobalPoolOp``.

    Parameters
        op         the op
    Ports
        i          in, tokens of ``op.in_layout``
        o          out, one token a frame, then ``end``, of ``op.out_layout``
    Timing
        II         1 beat per cycle; an ``end`` is taken at least ``op.end_beats`` cycles after the one before
        latency    ``op.pipeline`` cycles from ``end`` at ``i`` to the first beat at ``o``
    Reset          drops everything
    """

    def __init__(self, op: GlobalPoolOp) -> None:
        self.op = op
        super().__init__({"i": In(op.in_layout.signature), "o": Out(op.out_layout.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op, p = self.op, self.i.payload
        pe, bits = op.mapping.pe, op.inputs[0].dtype
        m.submodules.output = output = CreditFifo(op.out_layout, op.depth, op.end_beats)
        m.submodules.frame = frame = FrameAccumulator(pe, op.neuron_folds, 1, width(*op.accumulator))
        m.submodules.drain = drain = OutputSerializer(op.out_layout, pe, op.node.requant, op.accumulator)
        wiring.connect(m, output.o, wiring.flipped(self.o))
        take, closes = Signal(), Signal()
        cooling = Signal(range(op.end_beats))
        group, group_held = Signal(index_bits(op.neuron_folds)), Signal(index_bits(op.neuron_folds))
        m.d.comb += [
            self.i.ready.eq(~p.end | (output.open & (cooling == 0))),
            take.eq(self.i.valid & self.i.ready & ~p.end),
            closes.eq(self.i.valid & self.i.ready & p.end),
            output.reserve.eq(Mux(closes, op.end_beats, 0)),
            output.push.eq(drain.push),
            output.payload.eq(drain.payload),
            frame.group.eq(group_held),
            drain.last.eq(frame.out_last),
            drain.end.eq(frame.out_end),
        ]
        m.d.sync += [frame.last.eq(take), frame.end.eq(closes), group_held.eq(group)]
        with m.If(take):
            m.d.sync += group.eq(Mux(group == op.neuron_folds - 1, 0, group + 1))
        with m.If(closes):
            m.d.sync += cooling.eq(op.end_beats - 1)
        with m.Elif(cooling != 0):
            m.d.sync += cooling.eq(cooling - 1)
        for n in range(pe):
            feature = Signal(signed(signed_width(bits)), name=f"feature{n}")
            m.d.sync += feature.eq(codec(bits).decode(m, p.features[n], f"lane{n}"))
            m.d.comb += getattr(frame, f"sum{n}").eq(feature)
            m.d.comb += getattr(drain, f"sum{n}").eq(getattr(frame, f"total{n}"))
        return m
