"""Ops on one site at a time: the residual add, and a change of number format.

They take ``pe`` channels a cycle (``simd == pe``). Cycles a frame: ``tokens * c/pe + 1``.
"""

from __future__ import annotations

from collections.abc import Iterator

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.codes import decode, encode, signed_width
from hw.arithmetic.requantizer import Output, Requantizer, requantize_latency
from hw.fpga.device import Device
from hw.fpga.family import Family, Part, decoder, encoder, index
from hw.fpga.mapping import OpMapping
from hw.ops.latency import OpLatency
from hw.ops.op import Op, Tensor, divisors
from hw.ops.process import BeatByBeat
from hw.resources import requantizers, streams
from hw.streams.layout import TokenLayout, index_bits
from hw.streams.stream import delayed
from models.ir.accumulator import width
from models.ir.activity import Activity
from models.ir.dtype import DyBitType
from models.ir.node import Node
from models.ir.ops.add import Add
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant


class ElementwiseOp(Op):
    """A residual add or a change of number format, with its mapping.

    Parameters
        node       the add or requantize node
        inputs     two for an add, otherwise one
        mapping    ``pe`` divides the channels, ``simd == pe``, ``taps`` is 1
    Raises         ValueError: a mapping that does not fit the node
    """

    node: Add | Requantize

    @classmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        for pe in divisors(inputs[0].shape.channels):
            yield OpMapping(pe, pe)

    def check(self) -> None:
        self._divides("pe", self.shape.channels, "channels")
        self._one_of("simd", (self.mapping.pe,))
        self._one_of("taps", (1,))

    @property
    def input_names(self) -> tuple[str, ...]:
        return ("a", "b") if isinstance(self.node, Add) else ("i",)

    @property
    def branches(self) -> tuple[Requant, ...]:
        """How each input is requantized."""
        return (self.node.a, self.node.b) if isinstance(self.node, Add) else (self.node.requant,)

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest sum of an add, guard bits included; sums beyond them are clipped."""
        assert isinstance(self.node, Add)
        return self.node.lo << self.node.dtype.guard_bits, self.node.hi << self.node.dtype.guard_bits

    @property
    def out_lanes(self) -> int:
        return self.mapping.pe

    @property
    def pipeline(self) -> int:
        """Cycles from a beat in to its beat at ``o``: decode, requantize, for an add the sum, and the queue."""
        return 1 + requantize_latency(self.node.dtype) + isinstance(self.node, Add) + 1

    @property
    def depth(self) -> int:
        """Places of the output queue: one for each beat on its way. A place is free two cycles after its beat left."""
        return self.pipeline + 2

    def cycles(self, activity: Activity) -> int:
        return round(activity.tokens_in * self.in_layout.beats_per_token) + 1

    @property
    def start(self) -> int:
        return 0

    def latency(self, activity: Activity) -> OpLatency:
        arriving = round(activity.tokens_in * self.in_layout.beats_per_token)
        return OpLatency(self.pipeline, self.pipeline, max(0, arriving - 1), self.pipeline, 0)

    @property
    def process(self) -> BeatByBeat:
        return BeatByBeat()

    def parts(self, f: Family) -> list[Part]:
        node, pe, layout = self.node, self.mapping.pe, self.out_layout
        dtype, add = node.dtype, isinstance(node, Add)
        beats = index(layout.beats_per_token)
        decoders, ff = 0.0, 2 * beats + (self.pipeline - 1) * (2 + streams.place_bits(layout))
        if all(requantizers.constants(requant, pe).mults is None for requant in self.branches):
            # the branches share the registers that delay the index of a beat up to their multipliers
            ff -= 2 * beats * (len(self.branches) - 1)
        parts = []
        for tensor, requant in zip(self.inputs, self.branches, strict=True):
            decoders += pe * decoder(f, tensor.dtype)
            ff += pe * tensor.dtype.decoded_width
            bounds = tensor.dtype.min, tensor.dtype.max
            parts += requantizers.requantizer(f, requant, dtype, pe, bounds, encoded=not add)
        added, clipped, encoders = 0, 0, 0.0
        if isinstance(node, Add):
            added, encoders = pe * (width(*self.limits) - (not dtype.signed)), pe * encoder(f, dtype)
            clipped = 0 if isinstance(dtype, DyBitType) else added
            ff += added + (pe * dtype.width if isinstance(dtype, DyBitType) else 0)
        return [
            Part("elementwise", (1.0, beats, added, clipped), encoders, ff),
            Part("operands", (decoders, 0, 0)),
            *parts,
            *streams.output(f, layout, self.depth),
        ]

    def component(self) -> wiring.Component:
        return ElementwiseComponent(self)


class ElementwiseComponent(wiring.Component):
    """The hardware of an ``ElementwiseOp``.

    Parameters
        op         the op
    Ports
        i          in, tokens; for an add ``a`` and ``b``, of which a beat is taken from both in the same cycle
        o          out, tokens of ``op.out_layout``
    Timing
        II         1 beat per cycle
        latency    ``op.pipeline`` cycles
    Reset          drops everything
    """

    def __init__(self, op: ElementwiseOp) -> None:
        self.op = op
        layouts = [TokenLayout(tensor.shape, tensor.dtype, op.in_lanes) for tensor in op.inputs]
        ins = {name: In(layout.signature) for name, layout in zip(op.input_names, layouts, strict=True)}
        super().__init__({**ins, "o": Out(op.out_layout.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op, node = self.op, self.op.node
        pe, dtype = op.mapping.pe, node.dtype
        ins = [getattr(self, name) for name in op.input_names]
        m.submodules.output = output = Output(op.out_layout, op.depth)
        wiring.connect(m, output.o, wiring.flipped(self.o))
        go, index = Signal(), Signal(index_bits(op.in_layout.beats_per_token))
        here = ins[0].payload
        m.d.comb += go.eq(output.open)
        for stream in ins:
            others = [other.valid for other in ins if other is not stream]
            m.d.comb += stream.ready.eq(go & others[0] if others else go)
        taken = Signal()
        m.d.comb += [taken.eq(ins[0].valid & ins[0].ready), output.reserve.eq(taken)]
        with m.If(taken & ~here.end):
            m.d.sync += index.eq(Mux(index == op.in_layout.beats_per_token - 1, 0, index + 1))

        index_held = Signal.like(index)
        m.d.sync += index_held.eq(index)
        lanes: list[list[Signal]] = []
        codes = Signal(pe * dtype.width)
        add = isinstance(node, Add)
        for name, stream, tensor, requant in zip(op.input_names, ins, op.inputs, op.branches, strict=True):
            bounds = (tensor.dtype.min, tensor.dtype.max)
            requantize = Requantizer(requant, dtype, pe, bounds, encoded=not add)
            m.submodules[f"requantize_{name}"] = requantize
            m.d.comb += requantize.index.eq(index_held)
            for n in range(pe):
                feature = Signal(signed(signed_width(tensor.dtype)), name=f"{name}{n}")
                m.d.sync += feature.eq(decode(m, stream.payload.features[n], tensor.dtype, f"{name}{n}"))
                m.d.comb += getattr(requantize, f"value{n}").eq(feature)
            if add:
                lanes.append([getattr(requantize, f"integer{n}") for n in range(pe)])
            else:
                m.d.comb += codes.eq(requantize.codes)
        if isinstance(node, Add):
            lo, hi = op.limits
            for n in range(pe):
                total = Signal(signed(width(lo, hi)), name=f"total{n}")
                both = lanes[0][n] + lanes[1][n]
                m.d.sync += total.eq(Mux(both < lo, lo, Mux(both > hi, hi, both)))
                code = encode(m, total, dtype, f"lane{n}")
                if isinstance(dtype, DyBitType):
                    held = Signal(dtype.width, name=f"code{n}")
                    m.d.sync += held.eq(code)
                    code = held
                m.d.comb += codes.word_select(n, dtype.width).eq(code)

        after = op.pipeline - 1
        end = delayed(m, here.end, after, "end")
        m.d.comb += [
            output.push.eq(delayed(m, taken, after, "push")),
            output.payload.end.eq(end),
            output.payload.y.eq(delayed(m, here.y, after, "y")),
            output.payload.x.eq(delayed(m, here.x, after, "x")),
            output.payload.features.as_value().eq(Mux(end, 0, codes)),
        ]
        return m
