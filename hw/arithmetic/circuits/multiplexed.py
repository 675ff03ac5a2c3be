"""Products as a choice of multiples of the feature, shifted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Const, Module, Signal, Value, signed

from hw.arithmetic.choice import choice
from hw.arithmetic.circuits.circuit import (
    Circuit,
    Product,
    ProductCount,
    decoded_feature,
    decoded_width,
    registered_significand,
    significand_width,
)
from hw.arithmetic.circuits.constant import ADDED_ROWS, GATES, ConstantProduct, Logic, product_bits, trailing_zeros
from hw.arithmetic.codecs.codec import Significand, signed_width
from hw.arithmetic.codecs.registry import codec
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate
from models.ir.dtype import DType

FEW_DIGITS = 2
"""The most digits of a significand for which a product is a choice of multiples."""


class MultiplexedMultiples(Circuit):
    """0, 1, 2 or 3 times the decoded feature, as the digits of the weight's significand say, shifted by its places.

    Products of a feature share its triple. Resources: bits of multiples, bits that are shifted, products, bits of
    triple features.
    """

    name = "chosen"

    def carried(self, weights: DType) -> bool:
        return weights.signed

    def feature(self, m: Module, name: str, dtype: DType, code: Value, counts: Value) -> tuple[Value, Value]:
        value = decoded_feature(m, name, dtype, code, counts)
        tripled = Signal(signed(len(value) + 2), name=f"{name}_tripled")
        m.d.comb += tripled.eq(value + (value << 1))
        return value, tripled

    def weight(self, m: Module, name: str, dtype: DType, code: Value) -> Significand:
        return registered_significand(m, name, codec(dtype).significand(m, code, name))

    def product(
        self,
        feature: tuple[Value, Value],
        weight: Significand,
        dtypes: tuple[DType, DType],
        register: Callable[[Value], Value],
    ) -> Product:
        return multiplexed_product(*feature, weight, self.width(*dtypes))

    def operand_bits(self, dtype: DType, *, feature: bool) -> int:
        return decoded_width(dtype, feature=True) if feature else significand_width(dtype)

    def operand_luts(self, f: FpgaFamily, dtype: DType, *, feature: bool) -> float:
        own = codec(dtype)
        return own.decoder_luts(f.lut_inputs) if feature else own.significand_luts(f.lut_inputs)

    def resources(self, f: FpgaFamily, count: ProductCount, spans: Sequence[int]) -> ResourceEstimate:
        digits, places = codec(count.weights).significand_bits
        macs, feature = count.remaining_macs, signed_width(count.features)
        shifted = self.width(count.features, count.weights) * (places > 0)
        tripled = count.operands * (feature + 1) if digits == FEW_DIGITS else 0
        return ResourceEstimate("chosen", (macs * (feature + digits - 1), macs * shifted, macs, tripled))

    def waiting_bits(self, count: ProductCount, share: float) -> float:
        # the carry of a weight that never changes is a constant
        return float(count.macs * count.weights.signed) if share else 0.0

    def constant(self, features: DType, weights: DType, value: int) -> ConstantProduct:
        low, high = trailing_zeros(value), product_bits(features, value)
        odd = value >> low
        logic = [Logic(GATES, odd, product_bits(features, odd))]
        if abs(odd) == 3:
            logic.append(Logic(ADDED_ROWS, 3, signed_width(features) + 1))
        return ConstantProduct(low if value > 0 else 0, high, logic=tuple(logic))


MULTIPLEXED = MultiplexedMultiples()


def multiplexed_product(a: Value, tripled: Value, b: Significand, bits: int) -> tuple[Value, Value | None]:
    """The product of a signed value and a significand of at most ``FEW_DIGITS`` digits, as a choice of multiples.

    The digits choose 0, 1, 2 or 3 times ``a``, which is shifted by the places. For a product below zero the result is
    inverted instead of negated. The 1 that is missing is left to the adder behind it, where it costs less than here.

    Parameters
        a          signed operand
        tripled    ``3 * a``, which all products of the same ``a`` share
        b          the significand
        bits       width that must hold every product
    Returns        (a signed value of at most ``bits`` bits, 1 bit to add to it or None)
    """
    multiples = [Const(0, 1), a, a << 1, tripled][: 1 << len(b.significand)]
    wide = max(len(multiple) for multiple in multiples)
    multiples = [(multiple + Const(0, signed(wide)))[:wide].as_unsigned() for multiple in multiples]
    sign = Const(0, 1) if b.negative is None else b.negative
    chosen = (choice(multiples, [*b.significand]) ^ sign.replicate(wide)).as_signed()
    if b.shift is None:
        return chosen, b.negative
    shifted = [
        (Cat(sign.replicate(n), chosen).as_signed() + Const(0, signed(bits)))[:bits] for n in range(1 << len(b.shift))
    ]
    return choice(shifted, [*b.shift]).as_signed(), b.negative
