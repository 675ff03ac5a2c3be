"""From a sum to a number of the output's format: its constants, its arithmetic, and the check that int64 holds it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.node import Node

Range = tuple[int, int]
"""Lowest and highest of what a channel's number can be, in Python integers."""

BIAS_BITS = 32
"""Of the biases that quantization makes."""
MOST_BIAS_BITS = 44
"""Of a bias, at most."""
MULT_BITS = 16
"""Of the multipliers that quantization makes."""
MOST_MULT_BITS = 36
"""Of a multiplier, at most: those of other tools have so many."""
MAX_SHIFT = 50
MAX_FRACTION = 16
INT64 = IntType(64)
"""What golden computes in; no graph is valid whose numbers could leave it."""


@dataclass(frozen=True, eq=False)
class Requant:
    """From accumulator to activation: ``clip((biased * mult + half) >> shift, lo, hi)`` for an integer format.

    ``biased`` is ``(x << fraction) + bias``, and ``half`` is ``2**(shift-1)``, or 0 when ``shift`` is 0; shifts to the
    right are arithmetic. With few bits and few taps one unit of the accumulator is a step of the output or more, so a
    bias needs bits below one unit. A tapered format takes the value nearest to ``biased * mult / 2**shift``, clipped to
    ``lo`` and ``hi``, ties upward, in one rounding.

    Parameters
        bias       int64 ``[channels]``, in ``2**-fraction`` units of the accumulator
        mult       int64 ``[channels]``, unsigned multipliers of at most 36 bits, of 16 where we quantize
        shift      the right shift after the multiplication
        lo         the lowest activation; 0 for ReLU
        hi         the highest activation
        fraction   bits of the bias below one unit of the accumulator
    """

    bias: np.ndarray
    mult: np.ndarray
    shift: int
    lo: int
    hi: int
    fraction: int = 0

    @property
    def mult_bits(self) -> int:
        """Bits of the multipliers in hardware."""
        return max(MULT_BITS, int(self.mult.max()).bit_length())

    @classmethod
    def identity(cls, channels: int, lo: int, hi: int) -> Requant:
        return cls(np.zeros(channels, np.int64), np.ones(channels, np.int64), 0, lo, hi)

    def integer(self, sums: np.ndarray) -> np.ndarray:
        """``clip((((sums << fraction) + bias) * mult + half) >> shift, lo, hi)`` over ``[..., channels]``."""
        half = (1 << self.shift) >> 1
        return np.clip((self._scaled(sums) + half) >> self.shift, self.lo, self.hi)

    def to_doubled(self, sums: np.ndarray) -> np.ndarray:
        """Twice the requantized sums, rounded down, and clipped to twice ``lo`` and ``hi``."""
        scaled = self._scaled(sums)
        if not self.shift:
            return np.clip(scaled, self.lo, self.hi) << 1
        return np.clip(scaled >> (self.shift - 1), 2 * self.lo, 2 * self.hi)

    def to_dtype(self, sums: np.ndarray, dtype: DType) -> np.ndarray:
        """The requantized sums, rounded once to the nearest value of a format; ``integer`` for an integer format."""
        return dtype.round_doubled(self.to_doubled(sums))

    def check(self, node: Node, name: str, ranges: list[Range], limits: DType) -> None:
        """Raise a GraphError where it cannot be computed.

        Parameters
            node       the node that has it
            name       the node's field
            ranges     the range of the requantized sum of each channel
            limits     format whose range the result must keep to
        """
        channels = len(ranges)
        for part in ("bias", "mult"):
            array = getattr(self, part)
            if array.shape != (channels,):
                raise node.error(f"{name}.{part}", array.shape, f"must have shape ({channels},)")
        bound = 1 << (MOST_BIAS_BITS - 1)
        if (self.bias < -bound).any() or (self.bias >= bound).any():
            raise node.error(f"{name}.bias", int(np.abs(self.bias).max()), f"must fit {MOST_BIAS_BITS} signed bits")
        if (self.mult < 0).any() or (self.mult >= 1 << MOST_MULT_BITS).any():
            raise node.error(f"{name}.mult", self.mult.tolist(), f"must be 0 to {(1 << MOST_MULT_BITS) - 1}")
        if not 0 <= self.shift <= MAX_SHIFT:
            raise node.error(f"{name}.shift", self.shift, f"must be 0 to {MAX_SHIFT}")
        if not 0 <= self.fraction <= MAX_FRACTION:
            raise node.error(f"{name}.fraction", self.fraction, f"must be 0 to {MAX_FRACTION}")
        if self.lo > self.hi:
            raise node.error(f"{name}.lo", self.lo, f"must not exceed hi, {self.hi}")
        if self.lo < limits.min or self.hi > limits.max:
            value = (self.lo, self.hi)
            raise node.error(f"{name}.lo, {name}.hi", value, f"must lie within {limits}, {limits.min} to {limits.max}")
        half = (1 << self.shift) >> 1
        # what no channel exceeds, which most often is enough
        largest = max(max(-low, high) for low, high in ranges) << self.fraction
        if (largest + int(np.abs(self.bias).max())) * max(1, int(self.mult.max())) + half > INT64.max:
            for channel, limits_of_channel in enumerate(ranges):
                _check_products(self, node, name, channel, *limits_of_channel)

    def _scaled(self, sums: np.ndarray) -> np.ndarray:
        return ((sums << self.fraction) + self.bias) * self.mult


def _check_products(requant: Requant, node: Node, name: str, channel: int, low: int, high: int) -> None:
    """Every number of golden's requantization of a channel must lie within ``INT64``."""
    bias, mult, half = int(requant.bias[channel]), int(requant.mult[channel]), (1 << requant.shift) >> 1
    whole = low << requant.fraction, high << requant.fraction
    biased = whole[0] + bias, whole[1] + bias
    of = f"brings channel {channel}, with sums of {low} to {high}"
    fits = f"int64 holds {INT64.min} to {INT64.max}"
    if beyond := _beyond_int64(*whole, *biased):
        raise node.error(f"{name}.fraction", requant.fraction, f"{of} and bias {bias}, to {beyond}; {fits}")
    if beyond := _beyond_int64(*(end * mult + half for end in biased)):
        ends = ((INT64.max - half, end) if end > 0 else (half - INT64.min, -end) for end in biased if end)
        most = min(headroom // end for headroom, end in ends)
        why = f"{of}, fraction {requant.fraction} and bias {bias}, to {beyond}; {fits}, multipliers up to {most}"
        raise node.error(f"{name}.mult", mult, why)


def _beyond_int64(*numbers: int) -> int:
    """The number furthest out of those that do not fit 64 signed bits; 0 where all do."""
    return max((number for number in numbers if not INT64.min <= number <= INT64.max), key=abs, default=0)
