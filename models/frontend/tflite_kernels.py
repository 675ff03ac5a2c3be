"""The arithmetic of TensorFlow Lite's reference kernels for 8-bit integers: multipliers, rounding, means, softmax.

Source: ``tensorflow/lite/kernels`` of TensorFlow 2.18 and gemmlowp's fixed-point numbers; whole arrays at once, int64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

HALF, ONE = 1 << 30, 1 << 31
Numbers = np.ndarray | np.int64


@dataclass(frozen=True)
class KernelMultiplier:
    """A real factor as the kernels have it.

    Parameters
        mult      int64 ``[channels, 1]`` or a number, of 31 bits
        shift     alike, the power of two; negative to the right
    """

    mult: Any
    shift: Any

    @classmethod
    def of(cls, factors: np.ndarray | float) -> KernelMultiplier:
        """The multiplier nearest to each float64 factor.

        Parameters
            factors    one, or one a channel
        """
        pairs = [_quantized(float(factor)) for factor in np.atleast_1d(factors)]
        mult, shift = (np.array(part, np.int64)[:, None] for part in zip(*pairs, strict=True))
        return cls(mult, shift)

    def apply(self, sums: np.ndarray) -> np.ndarray:
        """Rounded products: to nearest in 31 bits, and once more where the shift goes to the right.

        Parameters
            sums       int64 ``[channels, n]``
        """
        high = _doubling_high(sums << np.maximum(self.shift, 0), self.mult)
        return _by_power_of_two(high, np.maximum(-self.shift, 0))

    def apply_once(self, sums: np.ndarray) -> np.ndarray:
        """Products rounded once, to nearest, ties upward: as linear layers do it.

        Parameters
            sums       int64 ``[channels, n]``
        """
        right = 31 - self.shift
        return (sums * self.mult + (np.int64(1) << right - 1)) >> right


def _quantized(factor: float) -> tuple[int, int]:
    if not factor:
        return 0, 0
    fraction, shift = math.frexp(factor)
    mult = math.floor(fraction * ONE + 0.5)
    if mult == ONE:
        mult, shift = mult // 2, shift + 1
    if shift < -31:
        return 0, 0
    return (mult, shift) if shift <= 30 else (ONE - 1, 30)


def _doubling_high(a: Numbers, b: Numbers) -> Any:
    """``a * b / 2**31``, rounded to nearest, ties upward."""
    return (a * b + HALF) >> 31


def _by_power_of_two(x: Numbers, exponent: Numbers) -> Any:
    """``x / 2**exponent``, rounded to nearest, ties away from zero."""
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    return (x >> exponent) + ((x & mask) > threshold)


def mean(sums: np.ndarray, count: int) -> np.ndarray:
    """``sums / count``, rounded to nearest, ties away from zero, as the average pooling does.

    Parameters
        sums     int64
        count    how many numbers were added
    """
    return np.sign(sums) * ((np.abs(sums) + count // 2) // count)


def softmax(logits: np.ndarray, scale: float, beta: float) -> np.ndarray:
    """int8 probabilities, in steps of 1/256 from -128 on, in fixed point.

    Parameters
        logits     int64 ``[n, classes]``
        scale      real value of a step of the logits
        beta       factor of the logits
    """
    fraction_bits = 31 - DIFFERENCE_BITS
    mult, shift = _quantized(min(beta * scale * (1 << fraction_bits), ONE - 1.0))
    least = -math.floor(((1 << DIFFERENCE_BITS) - 1) * (1 << fraction_bits) / (1 << shift))
    differences = logits - logits.max(axis=1, keepdims=True)
    counted = differences >= least
    exponentials = np.where(counted, _exp_of_negative(_doubling_high(differences << shift, np.int64(mult))), 0)
    total = _by_power_of_two(exponentials, np.int64(SUM_BITS)).sum(axis=1)
    headroom = np.array([32 - int(value).bit_length() for value in total])
    inverse = _one_over_one_plus((total << headroom) - ONE)
    products = _doubling_high(inverse[:, None], exponentials)
    found = _by_power_of_two(products, (SUM_BITS - headroom + 31 - 8)[:, None])
    return np.where(counted, np.clip(found - 128, -128, 127), -128)


DIFFERENCE_BITS, SUM_BITS = 5, 12
"""Integer bits of the differences of logits, and of the sum of exponentials."""
EXPONENTIALS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-1/4), exp(-1/2), exp(-1), ... exp(-16), in 31 fraction bits."""


def _saturated(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -ONE, ONE - 1)


def _exp_of_negative(a: np.ndarray) -> np.ndarray:
    """exp of numbers of 26 fraction bits that are not above 0, in 31 fraction bits."""
    fraction_bits = 31 - DIFFERENCE_BITS
    quarter = np.int64(1) << fraction_bits - 2
    below = (a & (quarter - 1)) - quarter
    result = _exp_of_quarter(_saturated(below << DIFFERENCE_BITS))
    remainder = below - a
    for exponent, factor in enumerate(EXPONENTIALS, -2):
        if exponent < DIFFERENCE_BITS:
            chosen = (remainder >> (fraction_bits + exponent)) & 1
            result = np.where(chosen == 1, _doubling_high(result, np.int64(factor)), result)
    return np.where(a == 0, ONE - 1, result)


def _exp_of_quarter(a: np.ndarray) -> np.ndarray:
    """exp between -1/4 and 0, in 31 fraction bits, by a polynomial about -1/8."""
    middle, third = np.int64(1895147668), np.int64(715827883)
    x = a + (1 << 28)
    square = _doubling_high(x, x)
    cube, fourth = _doubling_high(square, x), _doubling_high(square, square)
    quarter = _by_power_of_two(fourth, np.int64(2))
    rest = _by_power_of_two(_doubling_high(quarter + cube, third) + square, np.int64(1))
    return middle + _doubling_high(middle, x + rest)


def _one_over_one_plus(a: np.ndarray) -> np.ndarray:
    """1 / (1 + a) for a from 0 to 1, in 31 fraction bits, by three steps of Newton's."""
    total = a + ONE - 1
    half = (total + 1) >> 1
    x = 1515870810 + _doubling_high(half, np.int64(-1010580540))
    for _ in range(3):
        left = (1 << 29) - _doubling_high(half, x)
        x = x + _saturated(_doubling_high(x, left) << 2)
    return _saturated(x << 1)
