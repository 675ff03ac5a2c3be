"""Products of codes in LUTs, as combinational logic: four circuits.

Each takes a function that may put pipeline registers between its stages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from amaranth.hdl import Cat, Const, Mux, Value, signed

from hw.arithmetic.choice import choice
from hw.arithmetic.codecs.codec import Significand
from hw.arithmetic.codecs.registry import codec
from models.ir.dtype import DType

STAGE_ROWS = 2
"""Booth rows that are added between two pipeline registers: two adders in series."""


def lut_stages(a: int, b: int) -> int:
    """Registers from the operands of ``booth_product`` to its registered result.

    Parameters
        a          bits of one operand
        b          bits of the other
    """
    return -(-min(a, b) // (2 * STAGE_ROWS))


def booth_product(
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
    """Registers from the significands of ``significand_product`` to its registered result.

    Parameters
        a          format of one operand
        b          format of the other
    """
    return lut_stages(codec(a).signed_digits, codec(b).signed_digits) + 1


def significand_product(
    a: Significand, b: Significand, bits: int, held: Callable[[Value], Value] = lambda value: value
) -> Value:
    """The product of two significands: the product of the digits by adders, shifted by the sum of both places.

    Parameters
        a          one operand
        b          the other
        bits       width of the result, which must hold every product
        held       returns the register of a value, as in ``booth_product``; the default returns the value
    Returns        signed, ``bits`` bits
    """
    places, negative = _either(a.shift, b.shift, add=True), _either(a.negative, b.negative, add=False)
    in_a, in_b = _signed(a.significand), _signed(b.significand)
    for _ in range(lut_stages(len(in_a), len(in_b))):
        places = None if places is None else held(places)
    product = held(booth_product(in_a, in_b, held, negative))
    shifted = product if places is None else product << places
    return (shifted + Const(0, signed(bits)))[:bits].as_signed()


FEW_DIGITS = 2
"""The most digits of a significand for which a product is a choice of multiples."""


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


def _either(a: Value | None, b: Value | None, *, add: bool) -> Value | None:
    if a is None or b is None:
        return a if b is None else b
    return a + b if add else a ^ b


def _signed(value: Value) -> Value:
    return value if value.shape().signed else Cat(value, Const(0, 1)).as_signed()


def table_bits(a: DType, b: DType) -> int | None:
    """Address bits of a table of the products of two magnitudes; None where a format is a signed integer.

    Parameters
        a          format of one operand
        b          format of the other
    """
    of_a, of_b = codec(a).magnitudes(), codec(b).magnitudes()
    if of_a is None or of_b is None:
        return None
    return (len(of_a) * len(of_b)).bit_length() - 1


@cache
def table_inputs(a: DType, b: DType) -> tuple[int, ...]:
    """For each bit of a product's magnitude, lowest first, on how many bits of the two magnitude codes it depends.

    Parameters
        a          format of one operand
        b          format of the other
    """
    products = np.multiply.outer(_magnitudes(b), _magnitudes(a)).ravel()
    places = np.arange(len(products))
    found = []
    for bit in range(int(products.max()).bit_length()):
        column = products >> bit & 1
        changed = [column[places ^ 1 << n] != column for n in range((len(products) - 1).bit_length())]
        found.append(sum(bool(change.any()) for change in changed))
    return tuple(found)


def lookup_product(a: Value, a_type: DType, b: Value, b_type: DType) -> Value:
    """The product of two codes by a lookup table of magnitudes, negated where the signs differ.

    Both formats must have ``table_bits``.

    Parameters
        a          code of one operand
        a_type     its format
        b          code of the other operand
        b_type     its format
    Returns        signed
    """
    of_a, of_b = _magnitudes(a_type), _magnitudes(b_type)
    products = [x * y for y in of_b for x in of_a]
    bits = [*a[: len(of_a).bit_length() - 1], *b[: len(of_b).bit_length() - 1]]
    negative = (a[-1] if a_type.signed else Const(0, 1)) ^ (b[-1] if b_type.signed else Const(0, 1))
    magnitude = Cat(choice([Const(product, product.bit_length()) for product in products], bits), Const(0, 1))
    # Yosys needs more LUTs for a multiplexer between the magnitude and its negative
    return ((magnitude ^ negative.replicate(len(magnitude))).as_signed() + negative)[: len(magnitude)].as_signed()


def _magnitudes(dtype: DType) -> list[int]:
    found = codec(dtype).magnitudes()
    assert found is not None
    return found
