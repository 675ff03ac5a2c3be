"""The objective values that a search asks about."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from fractions import Fraction
from functools import cached_property

from dse.effort import FIRST_STEP
from dse.labels.goals import Goal
from dse.labels.network import Network
from dse.problem import Objective, Problem

FINEST = 1 << 60
"""Fractions are asked about in steps of 1/``FINEST``; the last question, whether any selection is better, is exact."""


class Values:
    """The objective values that can be asked about in one problem.

    Parameters
        problem    the problem
        objective  what is minimised
        network    network of the problem
    """

    def __init__(self, problem: Problem, objective: Goal, network: Network) -> None:
        self._problem, self._objective, self._network = problem, objective, network
        self.steps = sorted({own.cycles for op in problem.ops for own in op.candidates})
        self._share = objective in (None, Objective.UTILISATION)

    @cached_property
    def highest(self) -> Fraction:
        """A value that every selection within the limits keeps to."""
        problem = self._problem
        match self._objective:
            case Objective.LATENCY:
                return Fraction(_least(problem.max_latency, self._network.latest))
            case Objective.BOTTLENECK:
                return Fraction(_least(problem.max_cycles, self.steps[-1]))
            case Objective.ERROR:
                most = sum(max(own.error for own in op.candidates) for op in problem.ops)
                return Fraction(_least(problem.max_error, most))
            case Objective.UTILISATION:
                return Fraction(1)
        return Fraction(self._network.latest + sum(self._network.most) + self.steps[-1])

    def least_feasible(self, lower: Fraction, pressure: Callable[[int], float | None]) -> Fraction:
        """An estimate of the least cycles at which the relaxation is feasible.

        It is assumed that the used fraction of the limits falls in proportion as cycles rise.

        Parameters
            lower     a lower bound
            pressure  the used fraction of the limits at a number of cycles, above 1 or None where they do not hold
        """
        steps, at = self.steps, len(self.steps) - 1
        least_bottleneck = max(min(own.cycles for own in op.candidates) for op in self._problem.ops)
        low, high = bisect_left(steps, max(lower, least_bottleneck)), at
        while low < high and steps[high] > steps[low] * (1 + FIRST_STEP):
            pressed = pressure(steps[at])
            if pressed is None or pressed > 1:
                low = min(at + 1, high)
            else:
                high = at
            target = bisect_left(steps, steps[at] * (pressed or 2.0))
            at = min(max(target, low), high - 1) if target != at else (low + high) // 2
        return Fraction(steps[high]) / (1 + Fraction(FIRST_STEP))

    def rounded_down(self, value: Fraction) -> Fraction:
        """The largest value up to ``value`` that is asked about.

        For cycles it is one of those that candidates have; other whole figures are rounded down; fractions are rounded
        down to a multiple of 1/``FINEST``, so that their digits do not grow from one question to the next.
        """
        if self._objective is Objective.BOTTLENECK:
            return Fraction(self.steps[max(0, bisect_right(self.steps, value) - 1)])
        finest = FINEST if self._share else 1
        return Fraction(math.floor(value * finest), finest)

    def beyond(self, value: Fraction, step: Fraction) -> Fraction:
        """``value`` enlarged by the fraction ``step``, and by a little more for fractions, which may be 0."""
        return value * (1 + step) + (step / 100 if self._share else 0)

    def next(self, value: Fraction, open_at: Fraction | None) -> Fraction:
        """``value`` snapped, but above ``open_at``, a value whose question stays open."""
        value = self.rounded_down(value)
        if self._objective is Objective.BOTTLENECK and open_at is not None and value <= open_at:
            return Fraction(self.steps[min(bisect_right(self.steps, open_at), len(self.steps) - 1)])
        return value

    def above(self, value: Fraction, below: bool) -> Fraction:
        """The lower bound that follows when no selection has ``value`` or less (less, where ``below``)."""
        if below or self._share:
            return value
        if self._objective is Objective.BOTTLENECK:
            following = bisect_right(self.steps, value)
            return Fraction(self.steps[following]) if following < len(self.steps) else value + 1
        return Fraction(math.floor(value) + 1)


def _least(limit: int | None, most: int) -> int:
    return most if limit is None else min(limit, most)
