"""How another tool turns sums into numbers, exactly, as a node of ours can have it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from models.ir.formats.integer import IntType
from models.ir.multiplier_fit import as_requant, between
from models.ir.requant import MAX_SHIFT, MULT_BITS, Range, Requant
from models.ir.thresholds import Rescaling, Thresholds

FEW = 3
"""Levels with which a sum is compared rather than multiplied."""
FRACTION_BITS = 20
"""Of the branches of an add, at most."""


Rule = Callable[[np.ndarray], np.ndarray]
"""From sums int64 ``[channels, n]`` to numbers."""


def rescaling(rule: Rule, dtype: IntType, ranges: list[Range], limits: Range) -> Rescaling:
    """A rule that never falls, as multiplication and shift where it can be, else as levels.

    Parameters
        rule       from sums int64 ``[channels, n]`` to numbers
        dtype      format of the numbers
        ranges     lowest and highest sum of each channel
        limits     lowest and highest number
    """
    return fitted(Thresholds.of(rule, dtype, ranges, limits), dtype, ranges)


def fitted(levels: Thresholds, dtype: IntType, ranges: list[Range]) -> Rescaling:
    """Levels as multiplication and shift where there are more than a few and it can be, else as they are.

    Parameters
        levels     the levels
        dtype      format of the numbers
        ranges     lowest and highest sum of each channel
    """
    if np.unique(levels.levels, axis=1).shape[1] <= FEW:
        return levels
    return as_requant(levels, dtype, ranges) or levels


def added(
    numbers: list[np.ndarray], results: np.ndarray, steps: list[float], limits: Range, dtype: IntType
) -> tuple[Requant, Requant, Rescaling] | None:
    """A sum of two requantized numbers, with the fewest bits, that tells all results apart; None if none does.

    Parameters
        numbers    every number of either input, ascending
        results    int64 ``[first, second]``: what each pair of them shall give
        steps      steps of the output that a step of either input is worth
        limits     lowest and highest result
        dtype      format of the results
    """
    order, fallback = (results - limits[0]).ravel(), None
    for bits in range(FRACTION_BITS):
        branches = [_scaled_by(step * 2.0**bits, own) for step, own in zip(steps, numbers, strict=True)]
        a, b = (rule.integer(own[:, None])[:, 0] for rule, own in zip(branches, numbers, strict=True))
        sums = (a[:, None] + b).ravel()
        count = limits[1] - limits[0] + 1
        least, most = np.full(count, sums.max() + 1), np.full(count, sums.min() - 1)
        np.minimum.at(least, order, sums)
        np.maximum.at(most, order, sums)
        least = np.minimum.accumulate(least[::-1])[::-1][1:]
        most = np.maximum.accumulate(most)[:-1]
        if (most < least).all():
            total = between(least, most, limits)
            if total is not None:
                return branches[0], branches[1], total
            # levels tell the results apart too, but a few more bits may make a line of them
            fallback = fallback or (branches[0], branches[1], Thresholds(least[None], limits[0] - dtype.min))
    return fallback


def _scaled_by(factor: float, numbers: np.ndarray) -> Requant:
    """A multiplier of 16 bits that is nearest to a factor."""
    shift = max(0, min(MAX_SHIFT, MULT_BITS - math.frexp(factor)[1]))
    mult = min((1 << MULT_BITS) - 1, round(factor * 2.0**shift))
    rule = Requant(np.zeros(1, np.int64), np.array([mult]), shift, -(1 << 40), 1 << 40)
    ends = rule.integer(numbers[[0, -1], None])[:, 0]
    return dataclasses.replace(rule, lo=int(ends[0]), hi=int(ends[1]))


def repeated(requant: Requant, channels: int) -> Requant:
    """One channel's requantizer for all of them."""
    return dataclasses.replace(requant, bias=np.repeat(requant.bias, channels), mult=np.repeat(requant.mult, channels))
