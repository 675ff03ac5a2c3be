"""Number formats read a second time from their definition, in exact rationals: what arithmetic on codes must equal."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.minifloat import FloatType
from models.ir.formats.power_of_two import PowerType
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


def float_magnitude(bits: str) -> Fraction:
    """Two bits of exponent, biased by one, then the mantissa; a number of exponent 0 has no leading one."""
    exponent, fraction = int(bits[:2], 2), Fraction(int("0" + bits[2:], 2), 2 ** (len(bits) - 2))
    return fraction if exponent == 0 else 2 ** (exponent - 1) * (1 + fraction)


def power_magnitude(bits: str) -> Fraction:
    code = int(bits, 2)
    return Fraction(2 ** (code - 1)) if code else Fraction(0)


MAGNITUDES = {DyBitType: dybit_magnitude, FloatType: float_magnitude, PowerType: power_magnitude}


@cache
def real_values(dtype: DType) -> tuple[Fraction, ...]:
    """The real value of every code."""
    texts = [f"{code:0{dtype.width}b}" for code in range(1 << dtype.width)]
    if type(dtype) in MAGNITUDES:
        magnitude = MAGNITUDES[type(dtype)]
        if not dtype.signed:
            return tuple(magnitude(text) for text in texts)
        return tuple((-1) ** int(text[0]) * magnitude(text[1:]) for text in texts)
    weights = [2**bit for bit in reversed(range(dtype.width))]
    weights[0] *= -1 if dtype.signed else 1
    return tuple(Fraction(sum(w for w, bit in zip(weights, text, strict=True) if bit == "1")) for text in texts)


def unit(dtype: DType) -> Fraction:
    """The real value of a step: of formats with magnitudes that of magnitude code 1."""
    magnitude = MAGNITUDES.get(type(dtype))
    return Fraction(1) if magnitude is None else magnitude(f"{1:0{dtype.width - dtype.signed}b}")


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
