"""Levels as multiplication and shift: the shortest multipliers that give what the levels give, for every sum."""

from __future__ import annotations

import numpy as np

from models.ir.formats.integer import IntType
from models.ir.requant import MAX_SHIFT, MOST_BIAS_BITS, MOST_MULT_BITS, Range, Requant
from models.ir.thresholds import Thresholds

FRACTIONS = (0, 2, 4, 8, 12)
"""Of the biases, in the order in which they are tried."""
PRODUCT_BITS = 61
"""Of a sum with its fraction times a multiplier, at most."""
ONE_RESULT_BITS = 20
"""By how many bits a multiplier is shorter than the shift, for a channel that has one result whatever its sum."""
CANDIDATES = 64
"""Multipliers of a channel that are tried at one shift."""


def as_requant(rule: Thresholds, dtype: IntType, ranges: list[Range]) -> Requant | None:
    """A requantizer equal to the levels for every sum, with the fewest bits of multipliers; None if there is none.

    Parameters
        rule       the levels
        dtype      format of the output, an integer
        ranges     lowest and highest sum of each channel
    """
    values = dtype.values()[rule.first : rule.first + rule.levels.shape[1] + 1]
    channels = [
        _Channel.of_levels(rule.levels[number % len(rule.levels)], values[1:], *ends)
        for number, ends in enumerate(ranges)
    ]
    for shift in range(MAX_SHIFT + 1):
        for fraction in FRACTIONS:
            found = []
            for channel in channels:
                pair = channel.fit(shift, fraction)
                if pair is None:
                    break
                found.append(pair)
            else:
                mult, bias = (np.array(part, np.int64) for part in zip(*found, strict=True))
                return Requant(bias, mult, shift, int(values[0]), int(values[-1]), fraction)
    return None


def between(least: np.ndarray, most: np.ndarray, limits: Range) -> Requant | None:
    """A requantizer of one channel that tells sums apart; None if there is none.

    Parameters
        least      int64 ``[n]``, ascending: the least sum that becomes each value above the lowest one
        most       int64 ``[n]``: alike, the largest sum that must stay below the value
        limits     lowest and highest value
    """
    values = range(limits[0] + 1, limits[1] + 1)
    # of equal sums the last value decides on reaching, the first one on staying below
    at_least = dict(zip(least.tolist(), values, strict=True))
    below = dict(reversed(dict(zip(reversed(most.tolist()), reversed(values), strict=True)).items()))
    channel = _Channel(at_least, below)
    for shift in range(MAX_SHIFT + 1):
        for fraction in FRACTIONS:
            pair = channel.fit(shift, fraction)
            if pair is not None:
                return Requant(np.array([pair[1]]), np.array([pair[0]]), shift, *limits, fraction)
    return None


class _Channel:
    """What a channel's line must reach, and what it must stay below.

    Parameters
        at_least    by sum, ascending, the value that it must reach
        below       by sum, ascending, the value that it must not reach
    """

    def __init__(self, at_least: dict[int, int], below: dict[int, int]) -> None:
        self.sums_reaching, self.values_reached = _columns(at_least)
        self.sums_below, self.values_missed = _columns(below)

    @classmethod
    def of_levels(cls, levels: np.ndarray, values: np.ndarray, low: int, high: int) -> _Channel:
        """Those of levels.

        Parameters
            levels    ascending
            values    the value from each level on
            low       lowest sum
            high      highest sum
        """
        pairs = list(zip(levels.tolist(), values.tolist(), strict=True))
        # of equal levels the last one decides on reaching, the first one on staying below
        at_least = {max(level, low): value for level, value in pairs if level <= high}
        below = {min(level, high + 1) - 1: value for level, value in reversed(pairs) if level > low}
        return cls(at_least, dict(reversed(below.items())))

    def fit(self, shift: int, fraction: int) -> tuple[int, int] | None:
        """A multiplier and a bias with which every sum becomes the value that it shall, or None."""
        slopes = self._slopes(shift, fraction)
        if slopes is None:
            return None
        first, last = slopes
        # where a larger multiplier leaves more room, the first of these that fits has the fewest bits
        for bits in range(last.bit_length() - first.bit_length()):
            bias = self._bias(first << bits, shift, fraction)
            if bias is not None:
                return first << bits, bias
        # the room between what must be reached and what must not is concave in the multiplier
        while last - first > CANDIDATES:
            third = (last - first) // 3
            if self._room(first + third, shift, fraction) < self._room(last - third, shift, fraction):
                first += third
            else:
                last -= third
        for mult in range(first, last + 1):
            bias = self._bias(mult, shift, fraction)
            if bias is not None:
                return mult, bias
        return None

    def _room(self, mult: int, shift: int, fraction: int) -> int:
        """How far apart the bounds of bias times multiplier are; below 0 there is none."""
        if not len(self.sums_reaching) or not len(self.sums_below):
            return 0
        needed = (self.values_reached << shift) - mult * (self.sums_reaching << fraction)
        allowed = (self.values_missed << shift) - mult * (self.sums_below << fraction)
        return int(allowed.min() - needed.max())

    def _slopes(self, shift: int, fraction: int) -> tuple[int, int] | None:
        """The least and the largest multiplier that the outermost levels allow."""
        sums = np.concatenate([self.sums_reaching, self.sums_below])
        largest = max(1, int(np.abs(sums).max(initial=0))) << fraction
        least, most = 1, min((1 << MOST_MULT_BITS) - 1, (1 << PRODUCT_BITS) // largest)
        if len(self.sums_reaching) and len(self.sums_below):
            top, floor = int(self.sums_reaching[-1]), int(self.sums_below[0])
            rise = int(self.values_reached[-1] - self.values_missed[0])
            unit = 1 << shift
            if top > floor:
                # from below the first level to the last one it must rise by more than the values between them
                least = max(least, (rise * unit) // ((top - floor) << fraction) + 1)
            run = int(self.sums_below[-1]) - int(self.sums_reaching[0])
            climb = int(self.values_missed[-1] - self.values_reached[0])
            if run > 0:
                # from the first level to below the last one by less
                most = min(most, -(-(climb * unit) // (run << fraction)) - 1)
        else:
            # any multiplier serves a channel of one result, if only its bias has few enough bits
            least = most = min(most, 1 << max(0, shift - ONE_RESULT_BITS))
        return (least, most) if least <= most else None

    def _bias(self, mult: int, shift: int, fraction: int) -> int | None:
        half = (1 << shift) >> 1
        least, most = -(1 << MOST_BIAS_BITS - 1), (1 << MOST_BIAS_BITS - 1) - 1
        if len(self.sums_reaching):
            needed = -(-((self.values_reached << shift) - half) // mult)
            least = max(least, int((needed - (self.sums_reaching << fraction)).max()))
        if len(self.sums_below):
            allowed = -(-((self.values_missed << shift) - half) // mult) - 1
            most = min(most, int((allowed - (self.sums_below << fraction)).min()))
        return max(least, min(0, most)) if least <= most else None


def _columns(values: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Keys and values, in their order."""
    return np.array(list(values), np.int64), np.array(list(values.values()), np.int64)
