"""Codes to integers and back, as combinational logic; what ``DType.decode`` and ``encode`` do, in gates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from models.ir.dtype import DType, DyBitType, IntType


def decoded_by_table(dtype: DyBitType) -> bool:
    """Whether values are looked up by their codes, in fewer LUTs, of 4 inputs or of 6, than a negation takes."""
    return dtype.signed and dtype.width <= 5


def decode(m: Module, code: Value, dtype: DType, name: str) -> Value:
    """The decoded integer of a code, as a signed or unsigned value of ``dtype.decoded_width`` bits."""
    if isinstance(dtype, IntType):
        return code.as_signed() if dtype.signed else code.as_unsigned()
    if decoded_by_table(dtype):
        values = dtype.decode(np.arange(1 << dtype.width)).tolist()
        return choice([Const(value, signed(dtype.decoded_width)) for value in values], [*code]).as_signed()
    bits = dtype.magnitude_bits
    magnitude = Signal(dtype.max.bit_length(), name=f"{name}_magnitude")
    with m.Switch(code[:bits]):
        for ones in range(bits + 1):
            with m.Case("1" * ones + "0" * (ones < bits) + "-" * (bits - 1 - ones)):
                if ones == 0:
                    value = code[: bits - 1] if bits > 1 else Const(0, 1)
                elif ones == bits:
                    value = Const(dtype.max)
                else:
                    rest = bits - 1 - ones
                    value = (Const(1 << rest) + code[:rest] if rest else Const(1)) << (2 * ones - 1)
                m.d.comb += magnitude.eq(value)
    if not dtype.signed:
        return magnitude
    return Mux(code[bits], -magnitude, magnitude)[: dtype.decoded_width].as_signed()


class Mantissa(NamedTuple):
    """A value as ``digits << places``, below zero where ``negative``.

    ``digits`` of an integer are the integer, with its sign if it has one; ``places`` and ``negative`` are None where
    they are always 0.
    """

    digits: Value
    places: Value | None
    negative: Value | None


def mantissa_bits(dtype: DType) -> tuple[int, int]:
    """Bits of ``digits`` and of ``places``."""
    if isinstance(dtype, IntType):
        return dtype.width, 0
    bits = dtype.magnitude_bits
    return max(1, bits - 1), bits.bit_length() if bits > 1 else 0


def signed_digits(dtype: DType) -> int:
    """Bits of ``digits`` as a signed number."""
    return mantissa_bits(dtype)[0] + (isinstance(dtype, DyBitType) or not dtype.signed)


def mantissa(m: Module, code: Value, dtype: DType, name: str) -> Mantissa:
    """The digits of a code and how far to shift them, which is cheaper than ``decode``.

    Those of a tapered format lie so that the places to shift by are the number of leading ones.
    """
    if isinstance(dtype, IntType):
        return Mantissa(code.as_signed() if dtype.signed else code.as_unsigned(), None, None)
    bits = dtype.magnitude_bits
    negative = code[bits] if dtype.signed else None
    if bits == 1:
        return Mantissa(code[0], None, negative)
    wide, places_bits = mantissa_bits(dtype)
    digits, places = Signal(wide, name=f"{name}_digits"), Signal(places_bits, name=f"{name}_places")
    with m.Switch(code[:bits]):
        for ones in range(bits + 1):
            with m.Case("1" * ones + "0" * (ones < bits) + "-" * (bits - 1 - ones)):
                rest = bits - 1 - ones
                fraction = code[: max(0, rest)] if ones else code[: bits - 1]
                leading = Const(1, 1) if ones else Const(0, 0)
                m.d.comb += [digits.eq(Cat(Const(0, wide - len(fraction) - len(leading)), fraction, leading))]
                m.d.comb += places.eq(ones)
    return Mantissa(digits, places, negative)


def encode(m: Module, value: Value, dtype: DType, name: str) -> Value:
    """The code of an integer of the format; of a tapered one that nearest to half of ``value``, ties upward.

    ``value`` must lie within the format, or twice it. What ``DType.encode`` and ``DyBitType.encode_halves`` do.
    """
    if isinstance(dtype, IntType):
        integer = Signal(dtype.width, name=f"{name}_code")
        m.d.comb += integer.eq(value)  # sign-extends a value narrower than the format
        return integer
    bits = dtype.magnitude_bits
    halves = Signal(dtype.max.bit_length() + 1, name=f"{name}_halves")
    m.d.comb += halves.eq(Mux(value < 0, ~value, value) if dtype.signed else value)
    code = Signal(bits, name=f"{name}_code")
    # Rounding up may carry into the next run of ones: codes ascend with values, so the carry is right.
    m.d.comb += code.eq((halves + 1) >> 1)
    for ones in range(1, bits):
        base, step = (1 << bits) - (1 << (bits - ones)), 2 * ones
        with m.If(halves >= 1 << (bits + ones - 1)):
            rounded = (halves + (1 << (step - 1))) >> step
            m.d.comb += code.eq(base - (1 << (bits - 1 - ones)) + rounded)
    if not dtype.signed:
        return code
    sign = Signal(name=f"{name}_sign")
    m.d.comb += sign.eq((value < 0) & (code != 0))
    return code | (sign << bits)


def sort_key(code: Value, dtype: DType) -> Value:
    """A value that orders codes as their decoded integers; ``from_sort_key`` undoes it."""
    if not dtype.signed:
        return code.as_unsigned()
    if isinstance(dtype, IntType):
        return code ^ (1 << (dtype.width - 1))
    top = dtype.width - 1
    return Mux(code[top], ~code, code | (1 << top))[: dtype.width]


def from_sort_key(key: Value, dtype: DType) -> Value:
    if not dtype.signed:
        return key
    if isinstance(dtype, IntType):
        return key ^ (1 << (dtype.width - 1))
    top = dtype.width - 1
    return Mux(key[top], key[:top], ~key)[: dtype.width]


def signed_width(dtype: DType) -> int:
    """Bits of a decoded value as a signed number."""
    return dtype.decoded_width + (not dtype.signed)


STAGE_ROWS = 2
"""Rows of a product out of adders between two registers: two adders in a row."""


def lut_stages(a: int, b: int) -> int:
    """Registers of ``lut_product``, the one behind it included, for operands of so many bits."""
    return -(-min(a, b) // (2 * STAGE_ROWS))


def lut_product(
    a: Value, b: Value, held: Callable[[Value], Value] = lambda value: value, negative: Value | None = None
) -> Value:
    """``a * b`` of two signed values, out of adders: a row for each two bits of the narrower, -2 to 2 times the other.

    ``-a * b`` where ``negative``, for which each row changes its sign.

    Booth's rows of radix 4. Each sum is cut where the next row begins, which keeps Yosys from merging the adders into
    trees of carry-save adders that take three times the LUTs. ``held`` is what becomes of all that passes on after
    ``STAGE_ROWS`` rows: registers there make a pipeline.
    """
    if len(a) < len(b):
        a, b = b, a
    width, digits = len(a) + len(b), Cat(Const(0, 1), b, b[-1])
    low: list[Value] = []
    total: Value = Const(0, 1)
    for n in range(0, len(b), 2):
        if n and n % (2 * STAGE_ROWS) == 0:
            total, a, digits, low = held(total), held(a), held(digits), [held(Cat(low[:-1]))]
            negative = None if negative is None else held(negative)
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


def shift_stages(a: DType, b: DType) -> int:
    """Registers of ``shifted_product``, the one behind it included."""
    return lut_stages(signed_digits(a), signed_digits(b)) + 1


def shifted_product(a: Mantissa, b: Mantissa, bits: int, held: Callable[[Value], Value] = lambda value: value) -> Value:
    """The product, a signed value of ``bits`` bits, which it must fit: that of the digits, out of adders, shifted by
    both places at once.
    """
    places, negative = _either(a.places, b.places, add=True), _either(a.negative, b.negative, add=False)
    in_a, in_b = _signed(a.digits), _signed(b.digits)
    for _ in range(lut_stages(len(in_a), len(in_b))):
        places = None if places is None else held(places)
    product = held(lut_product(in_a, in_b, held, negative))
    shifted = product if places is None else product << places
    return (shifted + Const(0, signed(bits)))[:bits].as_signed()


FEW_DIGITS = 2
"""Digits of which a product is a choice of multiples."""


def chosen_product(a: Value, tripled: Value, b: Mantissa, bits: int) -> tuple[Value, Value | None]:
    """``a * b`` of a signed value and a mantissa of at most ``FEW_DIGITS`` digits: a signed value of ``bits`` bits,
    which it must fit, and a bit to add to it. ``tripled``: ``3 * a``, which products of the same ``a`` share.

    The multiple of ``a`` is chosen by the digits. A product below zero is inverted, and the bit is high, which an adder
    behind it takes for less than another adder.
    """
    multiples = [Const(0, 1), a, a << 1, tripled][: 1 << len(b.digits)]
    wide = max(len(multiple) for multiple in multiples)
    multiples = [(multiple + Const(0, signed(wide)))[:wide].as_unsigned() for multiple in multiples]
    sign = Const(0, 1) if b.negative is None else b.negative
    chosen = (choice(multiples, [*b.digits]) ^ sign.replicate(wide)).as_signed()
    if b.places is None:
        return chosen, b.negative
    shifted = [
        (Cat(sign.replicate(n), chosen).as_signed() + Const(0, signed(bits)))[:bits] for n in range(1 << len(b.places))
    ]
    return choice(shifted, [*b.places]).as_signed(), b.negative


def _either(a: Value | None, b: Value | None, *, add: bool) -> Value | None:
    if a is None or b is None:
        return a if b is None else b
    return a + b if add else a ^ b


def _signed(value: Value) -> Value:
    return value if value.shape().signed else Cat(value, Const(0, 1)).as_signed()


def magnitudes(dtype: DType) -> list[int]:
    """The magnitude of each magnitude code; of an unsigned integer, that of each code."""
    return list(range(1 << dtype.width)) if isinstance(dtype, IntType) else dtype.magnitudes.tolist()


def table_bits(a: DType, b: DType) -> int | None:
    """Bits that the magnitude of a product depends on; None where codes are not signs and magnitudes."""
    if any(isinstance(dtype, IntType) and dtype.signed for dtype in (a, b)):
        return None
    return (len(magnitudes(a)) * len(magnitudes(b))).bit_length() - 1


@cache
def table_inputs(a: DType, b: DType) -> tuple[int, ...]:
    """Of each bit of a product's magnitude, on how many bits of the two magnitude codes it depends."""
    products = np.multiply.outer(magnitudes(b), magnitudes(a)).ravel()
    places = np.arange(len(products))
    found = []
    for bit in range(int(products.max()).bit_length()):
        column = products >> bit & 1
        changed = [column[places ^ 1 << n] != column for n in range((len(products) - 1).bit_length())]
        found.append(sum(bool(change.any()) for change in changed))
    return tuple(found)


def table_product(a: Value, a_type: DType, b: Value, b_type: DType) -> Value:
    """The product of two codes with ``table_bits``, as a signed value: looked up, and negated where signs differ."""
    of_a, of_b = magnitudes(a_type), magnitudes(b_type)
    products = [x * y for y in of_b for x in of_a]
    bits = [*a[: len(of_a).bit_length() - 1], *b[: len(of_b).bit_length() - 1]]
    negative = (a[-1] if a_type.signed else Const(0, 1)) ^ (b[-1] if b_type.signed else Const(0, 1))
    magnitude = Cat(choice([Const(product, product.bit_length()) for product in products], bits), Const(0, 1))
    # as a choice between the two signs it would take Yosys more LUTs
    return ((magnitude ^ negative.replicate(len(magnitude))).as_signed() + negative)[: len(magnitude)].as_signed()


def choice(options: Sequence[Value], bits: Sequence[Value]) -> Value:
    """The one of ``options`` that ``bits``, lowest first, say: choices of two, as Yosys gives a table block memory."""
    if not bits:
        return options[0]
    half = len(options) // 2
    return Mux(bits[-1], choice(options[half:], bits[:-1]), choice(options[:half], bits[:-1]))


def times(value: Value, factor: int) -> Value:
    """``value * factor`` for a constant, out of adders: Yosys would spend a DSP block on it."""
    terms = [value << n for n in range(factor.bit_length()) if factor >> n & 1]
    return sum(terms[1:], start=terms[0]) if terms else Const(0)
