"""From a sum to a number of the output's format by comparison with constants: any map that never falls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.ir.dtype import DType
from models.ir.node import Node
from models.ir.requant import Range, Requant


@dataclass(frozen=True, eq=False)
class Thresholds:
    """From accumulator to activation: how many of its channel's levels a sum reaches says which value it becomes.

    Every map from sums to values that never falls is one of these, exactly: any real scale, any rule of rounding.

    Parameters
        levels     int64 ``[1 or channels, n]``, none below the one before it
        first      number of the value below all levels, counted from the least value of the output's format
    """

    levels: np.ndarray
    first: int = 0

    @classmethod
    def equal_to(cls, requant: Requant, dtype: DType, ranges: list[Range]) -> Thresholds:
        """The levels that give what a requantizer gives, for every sum.

        Parameters
            requant    the requantizer
            dtype      format of the output
            ranges     lowest and highest sum of each channel
        """

        def rule(sums: np.ndarray) -> np.ndarray:
            return requant.to_dtype(sums.T, dtype).T

        low, high = dtype.nearest_value(np.array([requant.lo, requant.hi])).tolist()
        return cls.of(rule, dtype, ranges, (low, high))

    @classmethod
    def of(
        cls,
        rule: Callable[[np.ndarray], np.ndarray],
        dtype: DType,
        ranges: list[Range],
        limits: Range,
    ) -> Thresholds:
        """The levels of any rule that never falls.

        Parameters
            rule       from sums int64 ``[channels, n]`` to values of the output's format
            dtype      format of the output
            ranges     lowest and highest sum of each channel
            limits     lowest and highest result
        """
        values = dtype.values()
        first, last = np.searchsorted(values, limits).tolist()
        # a rule with one result has a level that every sum reaches, or none
        first = min(first, len(values) - 2)
        last = max(last, first + 1)
        above = values[first + 1 : last + 1]
        lows, highs = (np.array(ends, np.int64)[:, None] for ends in zip(*ranges, strict=True))
        # the least sum that reaches each value, by halving; one above the highest where none does
        least, most = np.repeat(lows, len(above), axis=1), np.repeat(highs + 1, len(above), axis=1)
        while (least < most).any():
            middle = (least + most) >> 1
            reached = (rule(np.minimum(middle, highs)) >= above) & (middle <= highs)
            least, most = np.where(reached | (least == most), least, middle + 1), np.where(reached, middle, most)
        return cls(least, first)

    def to_dtype(self, sums: np.ndarray, dtype: DType) -> np.ndarray:
        """The values of a format for sums ``[..., channels]``."""
        reached = np.empty(sums.shape, np.int64)
        for channel in range(sums.shape[-1]):
            own = self.levels[channel % len(self.levels)]
            reached[..., channel] = np.searchsorted(own, sums[..., channel], side="right")
        return dtype.values()[self.first + reached]

    def check(self, node: Node, name: str, ranges: list[Range], limits: DType) -> None:
        """Raise a GraphError where the levels do not fit.

        Parameters
            node       the node that has them
            name       the node's field
            ranges     the range of the sum of each channel
            limits     format of the output
        """
        channels, values = len(ranges), len(limits.values())
        shape = self.levels.shape
        if len(shape) != 2 or shape[0] not in {1, channels} or not shape[1]:
            raise node.error(f"{name}.levels", shape, f"must have shape (1 or {channels}, 1 or more)")
        falls = np.argwhere(np.diff(self.levels, axis=1) < 0)
        if len(falls):
            channel, at = falls[0].tolist()
            value = self.levels[channel, at : at + 2].tolist()
            raise node.error(f"{name}.levels", value, f"must not fall, as those of channel {channel} do")
        if not 0 <= self.first < values - shape[1]:
            why = f"and {shape[1]} levels must lie within the {values} values of {limits}"
            raise node.error(f"{name}.first", self.first, why)


Rescaling = Requant | Thresholds
"""How sums become numbers of the output's format. Both have ``to_dtype``, for golden, and ``check``."""
RULES: tuple[type[Requant] | type[Thresholds], ...] = (Requant, Thresholds)
