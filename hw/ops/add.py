"""The residual add: both inputs requantized, their sum clipped and encoded."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed

from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.requantizer import INTEGER_LATENCY
from hw.arithmetic.rescaler import Rescaler, rescale_latency, rescaler
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate
from hw.ops.elementwise import ElementwiseOp
from hw.resources import requantizers as rescalers
from hw.streams.stream import delay_line
from models.ir.accumulator import width
from models.ir.ops.add import Add
from models.ir.requant import Requant
from models.ir.thresholds import Rescaling


class AddOp(ElementwiseOp):
    """A residual add, with its mapping.

    Parameters
        node       the add
        inputs     its two inputs
        mapping    ``pe`` divides the channels, ``simd == pe``, ``taps`` is 1
    Raises         ValueError: a mapping that does not fit the node
    """

    node: Add

    @property
    def input_names(self) -> tuple[str, ...]:
        return "a", "b"

    @property
    def branches(self) -> tuple[Requant, ...]:
        return self.node.a, self.node.b

    @property
    def encoded(self) -> bool:
        return False

    @property
    def combine_latency(self) -> int:
        if self.node.total is None:
            return 1
        # the latency of a branch counts an encoder for a tapered format, which the branches do not have
        return 1 + rescale_latency(self.node.total, self.node.dtype) - self.node.dtype.tapered

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the largest sum, guard bits included; sums beyond them are clipped."""
        return self.node.lo << self.node.dtype.guard_bits, self.node.hi << self.node.dtype.guard_bits

    def combiner_counts(self, f: FpgaFamily) -> tuple[int, int, float, int]:
        pe, dtype = self.mapping.pe, self.node.dtype
        if self.node.total is not None:
            added = pe * width(*self.node.bounds)
            return added, 0, 0.0, added
        added = pe * (width(*self.limits) - (not dtype.signed))
        tapered = dtype.tapered
        registers = added + (pe * dtype.width if tapered else 0)
        return added, 0 if tapered else added, pe * codec(dtype).encoder_luts(f.lut_inputs), registers

    def combiner_parts(self, f: FpgaFamily) -> tuple[ResourceEstimate, ...]:
        if self.node.total is None:
            return ()
        return rescalers.rescaler(f, self.node.total, self.node.dtype, self.mapping.pe, self.node.bounds)

    def combine(self, m: Module, requantizers: list[Rescaler], codes: Signal, index: Value) -> None:
        if self.node.total is not None:
            self._combine_and_rescale(m, self.node.total, requantizers, codes, index)
            return
        dtype, (lo, hi) = self.node.dtype, self.limits
        for n in range(self.mapping.pe):
            a, b = (getattr(branch, f"integer{n}") for branch in requantizers)
            total = Signal(signed(width(lo, hi)), name=f"total{n}")
            both = a + b
            m.d.sync += total.eq(Mux(both < lo, lo, Mux(both > hi, hi, both)))
            code = codec(dtype).encode(m, total, f"lane{n}")
            if dtype.tapered:
                held = Signal(dtype.width, name=f"code{n}")
                m.d.sync += held.eq(code)
                code = held
            m.d.comb += codes.word_select(n, dtype.width).eq(code)

    def _combine_and_rescale(
        self, m: Module, total: Rescaling, requantizers: list[Rescaler], codes: Signal, index: Value
    ) -> None:
        m.submodules.total = rescale = rescaler(total, self.node.dtype, self.mapping.pe, self.node.bounds)
        # of the beat whose branches have been requantized and added
        m.d.comb += rescale.index.eq(delay_line(m, index, INTEGER_LATENCY + 1, "total_index"))
        for n in range(self.mapping.pe):
            a, b = (getattr(branch, f"integer{n}") for branch in requantizers)
            m.d.sync += getattr(rescale, f"value{n}").eq(a + b)
        m.d.comb += codes.eq(rescale.codes)
