"""A change of number format or scale on its own."""

from __future__ import annotations

from amaranth.hdl import Module, Signal, Value

from hw.arithmetic.rescaler import Rescaler
from hw.fpga.families.family import FpgaFamily
from hw.ops.elementwise import ElementwiseOp
from models.ir.ops.requantize import Requantize
from models.ir.thresholds import Rescaling


class RequantizeOp(ElementwiseOp):
    """A change of number format, with its mapping.

    Parameters
        node       the requantize node
        inputs     its one input
        mapping    ``pe`` divides the channels, ``simd == pe``, ``taps`` is 1
    Raises         ValueError: a mapping that does not fit the node
    """

    node: Requantize

    @property
    def branches(self) -> tuple[Rescaling, ...]:
        return (self.node.requant,)

    @property
    def encoded(self) -> bool:
        return True

    @property
    def combine_latency(self) -> int:
        return 0

    def combiner_counts(self, f: FpgaFamily) -> tuple[int, int, float, int]:
        return 0, 0, 0.0, 0

    def combine(self, m: Module, requantizers: list[Rescaler], codes: Signal, index: Value) -> None:
        m.d.comb += codes.eq(requantizers[0].codes)
