"""Number formats read a second time from their definition, in exact rationals: what arithmetic on codes must equal."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.requant import Requant


def dybit_magnitude(bits: str) -> Fraction:
    """The real value of a magnitude code given as text, as the definition words it."""
    n = len(bits)
    ones = len(bits) - len(bits.lstrip("1"))
    if ones == 0:
        return Fraction(int(bits, 2), 2 ** (n - 1))
    if ones == n:
        return Fraction(2 ** (n - 1))
    tail = bits[ones + 1 :]
    fraction = Fraction(int(tail, 2), 2 ** len(tail)) if tail else Fraction(0)
    return 2 ** (ones - 1) * (1 + fraction)


@cache
def real_values(dtype: DType) -> tuple[Fraction, ...]:
    """The real value of every code."""
    texts = [f"{code:0{dtype.width}b}" for code in range(1 << dtype.width)]
    if isinstance(dtype, DyBitType):
        if not dtype.signed:
            return tuple(dybit_magnitude(text) for text in texts)
        return tuple((-1) ** int(text[0]) * dybit_magnitude(text[1:]) for text in texts)
    weights = [2**bit for bit in reversed(range(dtype.width))]
    weights[0] *= -1 if dtype.signed else 1
    return tuple(Fraction(sum(w for w, bit in zip(weights, text, strict=True) if bit == "1")) for text in texts)


def unit(dtype: DType) -> Fraction:
    return Fraction(1, 2 ** (dtype.width - dtype.signed - 1)) if isinstance(dtype, DyBitType) else Fraction(1)


def requantized(total: Fraction, requant: Requant, channel: int, one: Fraction) -> Fraction:
    """``total``, a real sum whose unit is ``one``, with its bias, scaled and clipped: units, not rounded yet."""
    biased = total / one * 2**requant.fraction + int(requant.bias[channel])
    scaled = biased * Fraction(int(requant.mult[channel]), 2**requant.shift)
    return min(max(scaled, Fraction(requant.lo)), Fraction(requant.hi))


@cache
def nearest_code(units: Fraction, dtype: DType) -> int:
    """The code of the value nearest to so many units, ties upward; never minus zero."""
    wanted, values = units * unit(dtype), real_values(dtype)
    return min(range(len(values)), key=lambda code: (abs(values[code] - wanted), -values[code]))
