"""Concatenation of channels: a token's beats of one input, then those of the other, through one requantizer.

It takes ``pe`` channels a cycle (``simd == pe``). Cycles a frame: ``tokens * (c_a + c_b)/pe + 1``.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.output import ROOM_DELAY, CreditFifo
from hw.arithmetic.rescaler import rescale_latency, rescaler
from hw.fpga.device import Device
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, index
from hw.fpga.mapping import OpMapping
from hw.ops.latency import OpLatency
from hw.ops.op import Op, Tensor, divisors
from hw.ops.process import InTurn
from hw.resources import requantizers, streams
from hw.streams.layout import TokenLayout, index_bits
from hw.streams.stream import delay_line
from models.ir.activity import Activity
from models.ir.node import Node
from models.ir.ops.concat import Concat


class ConcatOp(Op):
    """A concatenation, with its mapping.

    Parameters
        node       the concatenation
        inputs     its two inputs
        mapping    ``pe`` divides the channels of both, ``simd == pe``, ``taps`` is 1
    Raises         ValueError: a mapping that does not fit the node
    """

    node: Concat

    @classmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        for pe in divisors(gcd(*(tensor.shape.channels for tensor in inputs))):
            yield OpMapping(pe, pe)

    def check(self) -> None:
        for tensor in self.inputs:
            self._divides("pe", tensor.shape.channels, "channels")
        self._one_of("simd", (self.mapping.pe,))
        self._one_of("taps", (1,))

    @property
    def input_names(self) -> tuple[str, ...]:
        return "a", "b"

    @property
    def out_lanes(self) -> int:
        return self.mapping.pe

    @property
    def pipeline(self) -> int:
        """Cycles from a beat in to its beat at ``o``: decode, requantize, and the queue."""
        return 1 + rescale_latency(self.node.requant, self.node.dtype) + 1

    @property
    def depth(self) -> int:
        """Places of the output queue: one for each beat on its way."""
        return self.pipeline + ROOM_DELAY

    @property
    def bounds(self) -> tuple[int, int]:
        """The lowest and the highest integer of either input."""
        return min(tensor.dtype.min for tensor in self.inputs), max(tensor.dtype.max for tensor in self.inputs)

    def _beats(self, activity: Activity) -> int:
        return round(activity.tokens_in * sum(self.in_beats))

    def cycles(self, activity: Activity) -> int:
        return self._beats(activity) + 1

    @property
    def start(self) -> int:
        return 0

    def latency(self, activity: Activity) -> OpLatency:
        return OpLatency(self.pipeline, self.pipeline, max(0, self._beats(activity) - 1), self.pipeline, 0)

    @property
    def process(self) -> InTurn:
        return InTurn()

    def parts(self, f: FpgaFamily) -> list[ResourceEstimate]:
        pe, layout = self.mapping.pe, self.out_layout
        beats, place = index(layout.beats_per_token), 1 + streams.place_bits(layout)
        decoded = max(signed_width(tensor.dtype) for tensor in self.inputs)
        decoders = sum(codec(tensor.dtype).decoder_luts(f.lut_inputs) for tensor in self.inputs)
        ff = 2 * beats + (self.pipeline - 1) * (1 + place) + pe * decoded
        return [
            ResourceEstimate("elementwise", (1.0, beats, 0, 0), pe * decoded + place, ff),
            ResourceEstimate("operands", (pe * decoders, 0, 0)),
            *requantizers.rescaler(f, self.node.requant, self.node.dtype, pe, self.bounds),
            *streams.output(f, layout, self.depth),
        ]

    def component(self) -> wiring.Component:
        return ConcatComponent(self)


class ConcatComponent(wiring.Component):
    """The hardware of a ``ConcatOp``.

    Parameters
        op         the op
    Ports
        a          in, tokens of the first input
        b          in, tokens of the second input; both ends of a frame are taken in one cycle
        o          out, tokens of ``op.out_layout``
    Timing
        II         1 beat per cycle, of one input at a time
        latency    ``op.pipeline`` cycles
    Reset          drops everything
    """

    def __init__(self, op: ConcatOp) -> None:
        self.op = op
        a, b = (TokenLayout(tensor.shape, tensor.dtype, op.in_lanes) for tensor in op.inputs)
        super().__init__({"a": In(a.signature), "b": In(b.signature), "o": Out(op.out_layout.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op = self.op
        pe, dtype, beats = op.mapping.pe, op.node.dtype, sum(op.in_beats)
        m.submodules.output = output = CreditFifo(op.out_layout, op.depth)
        wiring.connect(m, output.o, wiring.flipped(self.o))
        index = Signal(index_bits(beats))
        second = Signal()
        both = Signal()
        shown = Signal()
        taken = Signal()
        end = Signal()
        m.d.comb += [
            second.eq(index >= op.in_beats[0]),
            both.eq(~second & self.a.payload.end),
            end.eq(both & self.a.valid),
            shown.eq(Mux(second, self.b.valid, self.a.valid & (~both | self.b.valid))),
            taken.eq(output.open & shown),
            self.a.ready.eq(output.open & ~second & (~both | self.b.valid)),
            self.b.ready.eq(output.open & (second | (both & self.a.valid))),
            output.reserve.eq(taken),
        ]
        with m.If(taken & ~end):
            m.d.sync += index.eq(Mux(index == beats - 1, 0, index + 1))

        requantize = rescaler(op.node.requant, dtype, pe, op.bounds)
        m.submodules.requantize = requantize
        index_held = Signal.like(index)
        m.d.sync += index_held.eq(index)
        m.d.comb += requantize.index.eq(index_held)
        for n in range(pe):
            a, b = (
                codec(tensor.dtype).decode(m, stream.payload.features[n], f"{name}{n}")
                for name, stream, tensor in zip(op.input_names, (self.a, self.b), op.inputs, strict=True)
            )
            feature = Signal(signed(requantize.in_width), name=f"feature{n}")
            m.d.sync += feature.eq(Mux(second, b, a))
            m.d.comb += getattr(requantize, f"value{n}").eq(feature)

        after = op.pipeline - 1
        end = delay_line(m, end, after, "end")
        y, x = (Mux(second, getattr(self.b.payload, axis), getattr(self.a.payload, axis)) for axis in "yx")
        m.d.comb += [
            output.push.eq(delay_line(m, taken, after, "push")),
            output.payload.end.eq(end),
            output.payload.y.eq(delay_line(m, y, after, "y")),
            output.payload.x.eq(delay_line(m, x, after, "x")),
            output.payload.features.as_value().eq(Mux(end, 0, requantize.codes)),
        ]
        return m
