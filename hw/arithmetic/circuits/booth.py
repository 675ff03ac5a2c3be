"""Products by adders in LUTs: Booth rows of radix 4."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from amaranth.hdl import Cat, Const, Mux, Value

from hw.arithmetic.circuits.circuit import DecodedCircuit, Product, ProductCount
from hw.arithmetic.circuits.constant import (
    ADDED_ROWS,
    CHOSEN_ROWS,
    FUNCTIONS_PER_ROW,
    GATES,
    ConstantProduct,
    Logic,
    product_bits,
    trailing_zeros,
)
from hw.arithmetic.codecs.codec import signed_width
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate
from models.ir.dtype import DType

STAGE_ROWS = 2
"""Booth rows that are added between two pipeline registers: two adders in series."""


class BoothRows(DecodedCircuit):
    """The product of two decoded integers, a row of adders for each two bits of the narrower one.

    Resources: as ``DspBlocks`` has them.
    """

    name = "rows"

    def stages(self, features: DType, weights: DType) -> int:
        return booth_stages(signed_width(features), signed_width(weights))

    def product(
        self, feature: Value, weight: Value, dtypes: tuple[DType, DType], register: Callable[[Value], Value]
    ) -> Product:
        return booth_product(feature, weight, register), None

    def resources(self, f: FpgaFamily, count: ProductCount, spans: Sequence[int]) -> ResourceEstimate:
        macs = count.remaining_macs
        shorter, longer = sorted((signed_width(count.features), signed_width(count.weights)))
        return ResourceEstimate("products", (macs * ((shorter + 1) // 2 - 1) * longer, macs * longer, macs, 0.0, 0.0))

    def waiting_bits(self, count: ProductCount, share: float) -> float:
        return rows_waiting(count, signed_width(count.features), signed_width(count.weights), share)

    def constant(self, features: DType, weights: DType, value: int) -> ConstantProduct:
        low, high = trailing_zeros(value), product_bits(features, value)
        return rows_of_constant(value, value, (low, high), (signed_width(features), signed_width(weights)), [])


BOOTH = BoothRows()


def booth_stages(a: int, b: int) -> int:
    """Registers from the operands of ``booth_product`` to its registered result.

    Parameters
        a          bits of one operand
        b          bits of the other
    """
    return -(-min(a, b) // (2 * STAGE_ROWS))


def booth_product(
    a: Value, b: Value, register: Callable[[Value], Value] = lambda value: value, negative: Value | None = None
) -> Value:
    """The product of two signed values by adders in LUTs: Booth rows of radix 4.

    Each row stands for two bits of the narrower operand and is -2 to 2 times the wider one. Each partial sum is split
    at the lowest bit of the next row. This keeps Yosys from merging the adders into trees of carry-save adders, which
    take three times the LUTs.

    Parameters
        a          signed operand
        b          signed operand
        register   gets every value that is still needed after ``STAGE_ROWS`` rows and returns it or its register;
                   registers make a pipeline, the default makes none
        negative   1 bit; where it is high the result is ``-a * b``, because each row changes its sign; None means never
    Returns        signed, as wide as both operands together
    """
    if len(a) < len(b):
        a, b = b, a
    width, digits = len(a) + len(b), Cat(Const(0, 1), b, b[-1])
    low: list[Value] = []
    total: Value = Const(0, 1)
    for n in range(0, len(b), 2):
        if n and n % (2 * STAGE_ROWS) == 0:
            total, a, digits, low = register(total), register(a), register(digits), [register(Cat(low[:-1]))]
            negative = None if negative is None else register(negative)
            low.append(total[:2])
            digits = digits[2 * STAGE_ROWS :]
        at = n % (2 * STAGE_ROWS)
        below, one, sign = digits[at], digits[at + 1], digits[at + 2]
        size = Mux(below ^ one, a, Mux(one ^ sign, a << 1, 0)).as_signed()[: len(a) + 1]
        sign = sign if negative is None else sign ^ negative
        row = Mux(sign, ~size, size).as_signed()
        total = (total >> 2) + row + sign if n else row + sign
        low.append(total[:2])
    return Cat(*low[:-1], total)[:width].as_signed()


def rows_waiting(count: ProductCount, feature: int, weight: int, share: float) -> float:
    """Bits of the registers between the stages of ``booth_product``, of all products.

    Parameters
        count      the products
        feature    bits of the operand that comes of a feature
        weight     bits of the other
        share      the fraction of a weight's bits that are neither constant nor copies of others
    """
    bits = 0.0
    for stage in range(1, booth_stages(feature, weight)):
        # what waits between the rows of a product: its sum so far, the wider operand and the rest of the other
        done = 2 * STAGE_ROWS * stage
        rest = min(feature, weight) - done + 1
        by_feature, by_weight = (feature, rest) if feature >= weight else (rest, weight)
        bits += count.macs * (max(feature, weight) + done + by_weight * share) + count.operands * by_feature
    return bits


def rows_of_constant(
    value: int, digits: int, ends: tuple[int, int], widths: tuple[int, int], logic: list[Logic]
) -> ConstantProduct:
    """A product with a constant by ``booth_product``.

    Parameters
        value      the constant
        digits     the constant that is multiplied; ``value`` without the places by which the result is shifted
        ends       the lowest bit of the product that is not always 0, and the bit above its highest
        widths     bits of the operand that comes of a feature, and of the other
        logic      what the product is made of beside its rows
    """
    (low, high), (feature, weight) = ends, widths
    if feature < weight:
        # a bit of a row is one of a few functions of the feature, which all share
        rows = (feature + 1) // 2
        logic = [*logic, *(Logic(GATES, row, FUNCTIONS_PER_ROW) for row in range(rows))]
        row_choice = Logic(CHOSEN_ROWS, value, rows * (weight + 1))
        return ConstantProduct(low, max(high, feature + weight), logic=(*logic, row_choice))
    if digits == 1 << trailing_zeros(digits):
        # a power of two is wires, and the product itself the register of the feature
        inverted = [Logic(GATES, (0, False), feature - 1)] if digits > 1 else []
        return ConstantProduct(low, high, logic=(*logic, *inverted))
    signs = [(row, digit < 0) for row, digit in enumerate(booth_digits(digits)) if digit]
    # a negative digit inverts the feature and adds one; a register of the feature stands before every stage
    gates = [Logic(GATES, (row // STAGE_ROWS, negative), feature - 1) for row, negative in signs]
    added = len(signs) - 1 + signs[0][1]
    return ConstantProduct(low, high + (added > 0), logic=(*logic, *gates, Logic(ADDED_ROWS, value, added * feature)))


def booth_digits(value: int) -> list[int]:
    """Booth's digits of radix 4, -2 to 2, the lowest first.

    Parameters
        value      the number that they make
    """
    bits = [0, *(value >> n & 1 for n in range(value.bit_length() // 2 * 2 + 2))]
    return [low + one - 2 * sign for low, one, sign in zip(bits[0::2], bits[1::2], bits[2::2], strict=False)]
