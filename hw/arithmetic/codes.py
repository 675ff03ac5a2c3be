"""Decoders, encoders and multipliers of codes, as combinational logic.

``decode`` and ``encode`` compute what ``DType.decode`` and ``DType.encode`` compute. Multipliers take a function
that may put pipeline registers between their stages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from models.ir.dtype import DType, DyBitType, IntType


def decoded_by_table(dtype: DyBitType) -> bool:
    """Whether a code is decoded by a lookup table instead of by shifts and a negation.

    For signed formats of 5 bits or fewer the table takes fewer LUTs, of 4 inputs or of 6.

    Parameters
        dtype      format of the code
    """
    return dtype.signed and dtype.width <= 5


def decode(m: Module, code: Value, dtype: DType, name: str) -> Value:
    """The decoded integer of a code.

    Parameters
        m          module that gets the logic
        code       ``dtype.width`` bits
        dtype      format of the code
        name       prefix of the names of new signals
    Returns        ``dtype.decoded_width`` bits, signed where ``dtype`` is
    """
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
    """A value split into significand, shift and sign: ``digits << places``, negated where ``negative`` is high.

    Parameters
        digits     the significand, unsigned; of an integer format the integer itself, signed where the format is
        places     how far ``digits`` are shifted to the left; None where the shift is always 0
        negative   1 bit, high for a value below zero; None where ``digits`` carry the sign or there is none
    """

    digits: Value
    places: Value | None
    negative: Value | None


def mantissa_bits(dtype: DType) -> tuple[int, int]:
    """Bits of ``digits`` and bits of ``places`` in the mantissa of a code; 0 bits of places means None.

    Parameters
        dtype      format of the code
    """
    if isinstance(dtype, IntType):
        return dtype.width, 0
    bits = dtype.magnitude_bits
    return max(1, bits - 1), bits.bit_length() if bits > 1 else 0


def signed_digits(dtype: DType) -> int:
    """Bits of a mantissa's ``digits`` as a signed number.

    Parameters
        dtype      format of the code
    """
    return mantissa_bits(dtype)[0] + (isinstance(dtype, DyBitType) or not dtype.signed)


def mantissa(m: Module, code: Value, dtype: DType, name: str) -> Mantissa:
    """The mantissa of a code, which takes less logic than its decoded value.

    The digits of a DyBit code are aligned such that the shift is the number of leading ones.

    Parameters
        m          module that gets the logic
        code       ``dtype.width`` bits
        dtype      format of the code
        name       prefix of the names of new signals
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
    """The code of a value: exact for an integer format, the nearest code for DyBit.

    It computes what ``IntType.encode`` and ``DyBitType.encode_halves`` compute.

    Parameters
        m          module that gets the logic
        value      for an integer format an integer of the format; for DyBit twice the number to encode, which is
                   rounded to the nearest value of the format, ties upward, from ``2 * dtype.min`` to ``2 * dtype.max``
        dtype      format of the code
        name       prefix of the names of new signals
    Returns        ``dtype.width`` bits
    """
    if isinstance(dtype, IntType):
        integer = Signal(dtype.width, name=f"{name}_code")
        m.d.comb += integer.eq(value)  # sign-extends a value narrower than the format
        return integer
    bits = dtype.magnitude_bits
    halves = Signal(dtype.max.bit_length() + 1, name=f"{name}_halves")
    m.d.comb += halves.eq(Mux(value < 0, ~value, value) if dtype.signed else value)
    code = Signal(bits, name=f"{name}_code")
    # Rounding up may carry into the next run of leading ones. The result is right: codes ascend with values.
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
    """An unsigned value of ``dtype.width`` bits that orders codes as their decoded integers are ordered.

    Parameters
        code       ``dtype.width`` bits
        dtype      format of the code
    """
    if not dtype.signed:
        return code.as_unsigned()
    if isinstance(dtype, IntType):
        return code ^ (1 << (dtype.width - 1))
    top = dtype.width - 1
    return Mux(code[top], ~code, code | (1 << top))[: dtype.width]


def from_sort_key(key: Value, dtype: DType) -> Value:
    """The code whose ``sort_key`` is given.

    Parameters
        key        ``dtype.width`` bits, as ``sort_key`` makes them
        dtype      format of the code
    """
    if not dtype.signed:
        return key
    if isinstance(dtype, IntType):
        return key ^ (1 << (dtype.width - 1))
    top = dtype.width - 1
    return Mux(key[top], key[:top], ~key)[: dtype.width]


def signed_width(dtype: DType) -> int:
    """Bits of a decoded value as a signed number.

    Parameters
        dtype      format of the value
    """
    return dtype.decoded_width + (not dtype.signed)


STAGE_ROWS = 2
"""Booth rows that are added between two pipeline registers: two adders in series."""


def lut_stages(a: int, b: int) -> int:
    """Registers from the operands of ``lut_product`` to its registered result.

    Parameters
        a          bits of one operand
        b          bits of the other
    """
    return -(-min(a, b) // (2 * STAGE_ROWS))


def lut_product(
    a: Value, b: Value, held: Callable[[Value], Value] = lambda value: value, negative: Value | None = None
) -> Value:
    """The product of two signed values by adders in LUTs: Booth rows of radix 4.

    Each row stands for two bits of the narrower operand and is -2 to 2 times the wider one. Each partial sum is split
    at the lowest bit of the next row. This keeps Yosys from merging the adders into trees of carry-save adders, which
    take three times the LUTs.

    Parameters
        a          signed operand
        b          signed operand
        held       gets every value that is still needed after ``STAGE_ROWS`` rows and returns it or its register;
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
    """Registers from the mantissas of ``shifted_product`` to its registered result.

    Parameters
        a          format of one operand
        b          format of the other
    """
    return lut_stages(signed_digits(a), signed_digits(b)) + 1


def shifted_product(a: Mantissa, b: Mantissa, bits: int, held: Callable[[Value], Value] = lambda value: value) -> Value:
    """The product of two mantissas: the product of the digits by adders, shifted by the sum of both places.

    Parameters
        a          one operand
        b          the other
        bits       width of the result, which must hold every product
        held       returns the register of a value, as in ``lut_product``; the default returns the value
    Returns        signed, ``bits`` bits
    """
    places, negative = _either(a.places, b.places, add=True), _either(a.negative, b.negative, add=False)
    in_a, in_b = _signed(a.digits), _signed(b.digits)
    for _ in range(lut_stages(len(in_a), len(in_b))):
        places = None if places is None else held(places)
    product = held(lut_product(in_a, in_b, held, negative))
    shifted = product if places is None else product << places
    return (shifted + Const(0, signed(bits)))[:bits].as_signed()


FEW_DIGITS = 2
"""The most digits of a mantissa for which a product is a choice of multiples."""


def chosen_product(a: Value, tripled: Value, b: Mantissa, bits: int) -> tuple[Value, Value | None]:
    """The product of a signed value and a mantissa of at most ``FEW_DIGITS`` digits, as a choice of multiples.

    The digits choose 0, 1, 2 or 3 times ``a``, which is shifted by the places. For a product below zero the result is
    inverted instead of negated. The 1 that is missing is left to the adder behind it, where it costs less than here.

    Parameters
        a          signed operand
        tripled    ``3 * a``, which all products of the same ``a`` share
        b          the mantissa
        bits       width that must hold every product
    Returns        (a signed value of at most ``bits`` bits, 1 bit to add to it or None)
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
    """The magnitude of each magnitude code; of an unsigned integer format, the value of each code.

    Parameters
        dtype      a DyBit format or an unsigned integer format
    """
    return list(range(1 << dtype.width)) if isinstance(dtype, IntType) else dtype.magnitudes.tolist()


def table_bits(a: DType, b: DType) -> int | None:
    """Address bits of a table of the products of two magnitudes; None where a format is a signed integer.

    Parameters
        a          format of one operand
        b          format of the other
    """
    if any(isinstance(dtype, IntType) and dtype.signed for dtype in (a, b)):
        return None
    return (len(magnitudes(a)) * len(magnitudes(b))).bit_length() - 1


@cache
def table_inputs(a: DType, b: DType) -> tuple[int, ...]:
    """For each bit of a product's magnitude, lowest first, on how many bits of the two magnitude codes it depends.

    Parameters
        a          format of one operand
        b          format of the other
    """
    products = np.multiply.outer(magnitudes(b), magnitudes(a)).ravel()
    places = np.arange(len(products))
    found = []
    for bit in range(int(products.max()).bit_length()):
        column = products >> bit & 1
        changed = [column[places ^ 1 << n] != column for n in range((len(products) - 1).bit_length())]
        found.append(sum(bool(change.any()) for change in changed))
    return tuple(found)


def table_product(a: Value, a_type: DType, b: Value, b_type: DType) -> Value:
    """The product of two codes by a lookup table of magnitudes, negated where the signs differ.

    Both formats must have ``table_bits``.

    Parameters
        a          code of one operand
        a_type     its format
        b          code of the other operand
        b_type     its format
    Returns        signed
    """
    of_a, of_b = magnitudes(a_type), magnitudes(b_type)
    products = [x * y for y in of_b for x in of_a]
    bits = [*a[: len(of_a).bit_length() - 1], *b[: len(of_b).bit_length() - 1]]
    negative = (a[-1] if a_type.signed else Const(0, 1)) ^ (b[-1] if b_type.signed else Const(0, 1))
    magnitude = Cat(choice([Const(product, product.bit_length()) for product in products], bits), Const(0, 1))
    # Yosys needs more LUTs for a multiplexer between the magnitude and its negative
    return ((magnitude ^ negative.replicate(len(magnitude))).as_signed() + negative)[: len(magnitude)].as_signed()


def choice(options: Sequence[Value], bits: Sequence[Value]) -> Value:
    """The option whose number ``bits`` give.

    It is a tree of two-way multiplexers, because Yosys would put a table into block memory.

    Parameters
        options    ``2 ** len(bits)`` values
        bits       bits of the number, lowest first
    """
    if not bits:
        return options[0]
    half = len(options) // 2
    return Mux(bits[-1], choice(options[half:], bits[:-1]), choice(options[:half], bits[:-1]))


def times(value: Value, factor: int) -> Value:
    """``value * factor`` by shifts and adders: Yosys would use a DSP block for the product.

    Parameters
        value      the number to multiply
        factor     constant, 0 or more
    """
    terms = [value << n for n in range(factor.bit_length()) if factor >> n & 1]
    return sum(terms[1:], start=terms[0]) if terms else Const(0)
