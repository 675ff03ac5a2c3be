"""The base class of ops that take one beat of every input per cycle: they requantize each input, then combine them.

They take ``pe`` channels a cycle (``simd == pe``). Cycles a frame: ``tokens * c/pe + 1``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.output import CreditFifo
from hw.arithmetic.requantizer import Requantizer
from hw.arithmetic.rescaler import Rescaler, rescale_latency, rescaler
from hw.fpga.device import Device
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, index
from hw.fpga.mapping import OpMapping
from hw.ops.latency import OpLatency
from hw.ops.op import Op, Tensor, divisors
from hw.ops.process import BeatByBeat
from hw.resources import requantizers, streams
from hw.streams.layout import TokenLayout, index_bits
from hw.streams.stream import delay_line
from models.ir.activity import Activity
from models.ir.node import Node
from models.ir.requant import Requant
from models.ir.thresholds import Rescaling


class ElementwiseOp(Op):
    """An op on one beat of every input, with its mapping.

    Parameters
        node       the node
        inputs     one entry per input of the node, all of one shape
        mapping    ``pe`` divides the channels, ``simd == pe``, ``taps`` is 1
    Raises         ValueError: a mapping that does not fit the node
    """

    @classmethod
    def mappings(cls, node: Node, inputs: tuple[Tensor, ...], device: Device) -> Iterator[OpMapping]:
        for pe in divisors(inputs[0].shape.channels):
            yield OpMapping(pe, pe)

    def check(self) -> None:
        self._divides("pe", self.shape.channels, "channels")
        self._one_of("simd", (self.mapping.pe,))
        self._one_of("taps", (1,))

    @property
    @abstractmethod
    def branches(self) -> tuple[Rescaling, ...]:
        """How each input is requantized."""

    @property
    @abstractmethod
    def encoded(self) -> bool:
        """Whether the requantizers return codes of the output instead of integers to combine."""

    @property
    @abstractmethod
    def combine_latency(self) -> int:
        """Cycles from the requantizers to the codes of the output."""

    @abstractmethod
    def combiner_counts(self, f: FpgaFamily) -> tuple[int, int, float, int]:
        """What combining takes: bits of adders, bits that are clipped, LUTs of encoders, and registers."""

    def combiner_parts(self, f: FpgaFamily) -> tuple[ResourceEstimate, ...]:
        """What combining takes besides."""
        return ()

    @abstractmethod
    def combine(self, m: Module, requantizers: list[Rescaler], codes: Signal, index: Value) -> None:
        """Add the logic from the requantizers' results to ``codes``, the codes of the output's lanes, lowest first.

        Parameters
            m               the component's module
            requantizers    of the inputs, in their order
            codes           what it drives
            index           number of the beat in its token, as the requantizers take it
        """

    @property
    def out_lanes(self) -> int:
        return self.mapping.pe

    @property
    def pipeline(self) -> int:
        """Cycles from a beat in to its beat at ``o``: decode, requantize, combine, and the queue."""
        return 1 + rescale_latency(self.branches[0], self.node.dtype) + self.combine_latency + 1

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

    def parts(self, f: FpgaFamily) -> list[ResourceEstimate]:
        pe, layout = self.mapping.pe, self.out_layout
        beats = index(layout.beats_per_token)
        decoders, ff = 0.0, 2 * beats + (self.pipeline - 1) * (2 + streams.place_bits(layout))
        if len(self.branches) > 1 and all(
            isinstance(requant, Requant) and requantizers.constants(requant, pe).mults is None
            for requant in self.branches
        ):
            # the branches share the registers that delay the index of a beat up to their multipliers
            ff -= 2 * beats * (len(self.branches) - 1)
        parts = []
        for tensor, requant in zip(self.inputs, self.branches, strict=True):
            decoders += pe * codec(tensor.dtype).decoder_luts(f.lut_inputs)
            ff += pe * tensor.dtype.decoded_width
            bounds = tensor.dtype.min, tensor.dtype.max
            parts += requantizers.rescaler(f, requant, self.node.dtype, pe, bounds, encoded=self.encoded)
        added, clipped, encoders, registers = self.combiner_counts(f)
        return [
            ResourceEstimate("elementwise", (1.0, beats, added, clipped), encoders, ff + registers),
            ResourceEstimate("operands", (decoders, 0, 0)),
            *parts,
            *self.combiner_parts(f),
            *streams.output(f, layout, self.depth),
        ]

    def component(self) -> wiring.Component:
        return ElementwiseComponent(self)


class ElementwiseComponent(wiring.Component):
    """The hardware of an ``ElementwiseOp``.

    Parameters
        op         the op
    Ports
        i          in, tokens; of an op of two inputs ``a`` and ``b``, a beat of both in the same cycle
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
        op = self.op
        pe, dtype = op.mapping.pe, op.node.dtype
        ins = [getattr(self, name) for name in op.input_names]
        m.submodules.output = output = CreditFifo(op.out_layout, op.depth)
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
        branches: list[Rescaler] = []
        codes = Signal(pe * dtype.width)
        for name, stream, tensor, requant in zip(op.input_names, ins, op.inputs, op.branches, strict=True):
            bounds = (tensor.dtype.min, tensor.dtype.max)
            if op.encoded:
                requantize = rescaler(requant, dtype, pe, bounds)
            else:
                assert isinstance(requant, Requant)
                requantize = Requantizer(requant, dtype, pe, bounds, encoded=False)
            m.submodules[f"requantize_{name}"] = requantize
            m.d.comb += requantize.index.eq(index_held)
            for n in range(pe):
                feature = Signal(signed(signed_width(tensor.dtype)), name=f"{name}{n}")
                m.d.sync += feature.eq(codec(tensor.dtype).decode(m, stream.payload.features[n], f"{name}{n}"))
                m.d.comb += getattr(requantize, f"value{n}").eq(feature)
            branches.append(requantize)
        op.combine(m, branches, codes, index_held)

        after = op.pipeline - 1
        end = delay_line(m, here.end, after, "end")
        m.d.comb += [
            output.push.eq(delay_line(m, taken, after, "push")),
            output.payload.end.eq(end),
            output.payload.y.eq(delay_line(m, here.y, after, "y")),
            output.payload.x.eq(delay_line(m, here.x, after, "x")),
            output.payload.features.as_value().eq(Mux(end, 0, codes)),
        ]
        return m
