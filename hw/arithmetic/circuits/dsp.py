"""Products in DSP blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amaranth.hdl import Value

from hw.arithmetic.circuits.circuit import DecodedCircuit, Product, ProductCount
from hw.arithmetic.circuits.constant import ConstantProduct, trailing_zeros
from hw.arithmetic.codecs.codec import signed_width
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, dsp_blocks, joined_bits, small_product
from models.ir.accumulator import width
from models.ir.dtype import DType


class DspBlocks(DecodedCircuit):
    """The product of two decoded integers as Verilog's own, which Yosys puts into a DSP block where it is large enough.

    Resources of products: of those in LUTs the bits of rows after the first, the bits of the first row and their
    number; bits of adders that join the DSP blocks of a product; LUTs of tables.
    """

    name = "blocks"

    def product(
        self, feature: Value, weight: Value, dtypes: tuple[DType, DType], register: Callable[[Value], Value]
    ) -> Product:
        return feature * weight, None

    def resources(self, f: FpgaFamily, count: ProductCount, spans: Sequence[int]) -> ResourceEstimate:
        feature, blocks, joined, lut = signed_width(count.features), 0, 0, 0.0
        terms = count.terms
        for span in spans:
            of_span = dsp_blocks(f, span, feature)
            blocks += of_span
            joined += joined_bits(f, span, feature)
            if not of_span:
                lut += count.remaining * small_product(f, count.features.decoded_width, span)
        return ResourceEstimate("products", (0.0, 0.0, 0.0, terms * joined, 0.0), terms * lut, dsp=terms * blocks)

    def constant(self, features: DType, weights: DType, value: int) -> ConstantProduct:
        feature, odd = signed_width(features), value >> trailing_zeros(value)
        if value == 1:
            return ConstantProduct(0, feature)
        return ConstantProduct(0, feature + width(value, value), operand=width(odd, odd))


DSP = DspBlocks()
