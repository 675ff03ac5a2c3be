"""Products of significands by adders in LUTs, shifted afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Value, signed

from hw.arithmetic.circuits.booth import booth_product, booth_stages, rows_of_constant, rows_waiting
from hw.arithmetic.circuits.circuit import (
    Circuit,
    Product,
    ProductCount,
    registered_significand,
    significand_width,
)
from hw.arithmetic.circuits.constant import GATES, SHIFTS, ConstantProduct, Logic, product_bits, trailing_zeros
from hw.arithmetic.codecs.codec import Significand
from hw.arithmetic.codecs.registry import codec
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate
from models.ir.dtype import DType


class SignificandShift(Circuit):
    """The product of two significands by Booth rows, shifted by the sum of both places.

    Resources: bits of rows, bits that are shifted times bits of the number of places, products.
    """

    name = "shifted"

    def stages(self, features: DType, weights: DType) -> int:
        return booth_stages(codec(features).signed_digits, codec(weights).signed_digits) + 1

    def feature(self, m: Module, name: str, dtype: DType, code: Value, counts: Value) -> Significand:
        parts = codec(dtype).significand(m, code, name)
        # in every format a product with digits 0 is 0
        return registered_significand(m, name, parts._replace(significand=Mux(counts, parts.significand, 0)))

    def weight(self, m: Module, name: str, dtype: DType, code: Value) -> Significand:
        return registered_significand(m, name, codec(dtype).significand(m, code, name))

    def product(
        self, feature: Significand, weight: Significand, dtypes: tuple[DType, DType], register: Callable[[Value], Value]
    ) -> Product:
        return significand_product(feature, weight, self.width(*dtypes), register), None

    def operand_bits(self, dtype: DType, *, feature: bool) -> int:
        return significand_width(dtype)

    def operand_luts(self, f: FpgaFamily, dtype: DType, *, feature: bool) -> float:
        return codec(dtype).significand_luts(f.lut_inputs)

    def resources(self, f: FpgaFamily, count: ProductCount, spans: Sequence[int]) -> ResourceEstimate:
        macs, width = count.remaining_macs, self.width(count.features, count.weights)
        shorter, longer = sorted((codec(count.weights).signed_digits, codec(count.features).signed_digits))
        places = places_width(count.features, count.weights)
        return ResourceEstimate("shifted", (macs * ((shorter + 1) // 2) * longer, macs * width * places, macs))

    def waiting_bits(self, count: ProductCount, share: float) -> float:
        dtypes = count.features, count.weights
        feature, weight = (codec(dtype).signed_digits for dtype in dtypes)
        stages = booth_stages(feature, weight)
        signs = any(dtype.signed and dtype.tapered for dtype in dtypes)
        behind = count.macs * (feature + weight + stages * places_width(*dtypes) + (stages - 1) * signs)
        return behind + rows_waiting(count, feature, weight, share)

    def constant(self, features: DType, weights: DType, value: int) -> ConstantProduct:
        low, high = trailing_zeros(value), product_bits(features, value)
        places, logic = codec(weights).shift(value), []
        if features.tapered:
            # the feature says how far, too
            low, high = 0, product_bits(features, weights.max)
            logic = [Logic(SHIFTS, value, high * codec(features).significand_bits[1])]
        elif places:
            logic = [Logic(GATES, value, high)]
        widths = codec(features).signed_digits, codec(weights).signed_digits
        return rows_of_constant(value, value // (1 << places), (low, high), widths, logic)


SIGNIFICAND_SHIFT = SignificandShift()


def significand_product(
    a: Significand, b: Significand, bits: int, register: Callable[[Value], Value] = lambda value: value
) -> Value:
    """The product of two significands: the product of the digits by adders, shifted by the sum of both places.

    Parameters
        a          one operand
        b          the other
        bits       width of the result, which must hold every product
        register   returns the register of a value, as in ``booth_product``; the default returns the value
    Returns        signed, ``bits`` bits
    """
    places, negative = _either(a.shift, b.shift, add=True), _either(a.negative, b.negative, add=False)
    in_a, in_b = _signed(a.significand), _signed(b.significand)
    for _ in range(booth_stages(len(in_a), len(in_b))):
        places = None if places is None else register(places)
    product = register(booth_product(in_a, in_b, register, negative))
    shifted = product if places is None else product << places
    return (shifted + Const(0, signed(bits)))[:bits].as_signed()


def places_width(features: DType, weights: DType) -> int:
    """Bits of the number of places by which a product of significands is shifted.

    Parameters
        features   format of one operand
        weights    format of the other
    """
    one, other = (codec(dtype).significand_bits[1] for dtype in (features, weights))
    return max(one, other) + (one > 0 < other)


def _either(a: Value | None, b: Value | None, *, add: bool) -> Value | None:
    if a is None or b is None:
        return a if b is None else b
    return a + b if add else a ^ b


def _signed(value: Value) -> Value:
    return value if value.shape().signed else Cat(value, Const(0, 1)).as_signed()
