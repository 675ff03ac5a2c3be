"""Trades of cycles against the summed error, each within a gap of one that no other choice beats.

The relaxation, which mixes candidates, says how few cycles an error takes; then the least error at so many is looked
for. A point is proven in one of two ways: no choice as fast has an error that is less by more than the gap, or none
with its error is faster by more than the gap. Where errors fall steeply the second is the easier one, elsewhere the
first.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from dse.certificate import counted
from dse.milp import Solution, solution, solve
from dse.problem import Objective, Problem, Selection
from dse.program import Program
from dse.search import Found, Search, Watch

SLACK = Fraction(1, 4)
"""By what share of the gap more cycles are allowed than the relaxation gives: just there, choices are few."""
LEAST_SHARE = 0.5
"""The least share of a choice's error that the relaxation is taken to have."""
LEVELS = 3
"""Of the search's efforts, how many a point is worth."""


def near_trades(problem: Problem, grain: int, gap: float, watch: Watch) -> Iterator[Solution]:
    """Points by rising cycles; raises ``Infeasible`` where there is none.

    Parameters
        problem  what is to be chosen
        grain    about how much the error falls from point to point; no less than half of it
        gap      share of the cycles or of the error by which a point may miss the least
        watch    is told what ``solve`` tells
    """
    begin, curve = time.perf_counter(), _Curve(problem)
    start = solve(problem, Objective.BOTTLENECK, then=(), gap=gap, watch=watch)
    cycles, about, known = start.evaluation.bottleneck, Fraction(0), start.selection
    best, error = math.inf, start.evaluation.error
    while cycles is not None and best:
        capped = problem.capped(Objective.BOTTLENECK, Fraction(cycles))
        narrow = counted(capped, Objective.ERROR)
        found = Search(narrow, Objective.ERROR, gap, levels=1, about=about, watch=watch).run(known)
        if found.evaluation is not None:
            error = found.evaluation.error
        if found.selection is not None and error <= best - grain / 2:
            point = _proven(problem, capped, found, found.selection, gap, watch)
            best = error = point.evaluation.error
            yield replace(point, report=replace(point.report, seconds=time.perf_counter() - begin))
            begin = time.perf_counter()
        share = max(LEAST_SHARE, min(1.0, curve.error(cycles) / error)) if error else 1.0
        cycles, known = curve.following(cycles, max(0.0, best - grain), share, 1 + SLACK * Fraction(gap)), None
        about = Fraction(0 if cycles is None else curve.error(cycles)) / Fraction(share)


def _proven(
    problem: Problem, capped: Problem, found: Found, selection: Selection, gap: float, watch: Watch
) -> Solution:
    """A choice with little error, proven in one way or the other.

    Parameters
        problem    what is to be chosen
        capped     the same within the cycles at which the error was to be the least
        found      what a first search found and showed of the error
        selection  what it found
    """
    least = solution(capped, Objective.ERROR, found, gap, 0.0)
    if least.report.gap <= gap:
        return least
    slower = replace(problem, max_error=least.evaluation.error)
    narrow, about = counted(slower, Objective.BOTTLENECK), least.evaluation.bottleneck * (1 - Fraction(gap))
    other = Search(narrow, Objective.BOTTLENECK, gap, levels=1, about=about, watch=watch).run(selection)
    fastest = solution(slower, Objective.BOTTLENECK, other, gap, 0.0)
    if fastest.report.gap <= gap:
        return fastest
    narrow, bound = counted(capped, Objective.ERROR), found.bound
    whole = Search(narrow, Objective.ERROR, gap, bound, found.certificate, levels=LEVELS, about=bound, watch=watch)
    return solution(capped, Objective.ERROR, whole.run(selection), gap, 0.0)


class _Curve:
    """What mixed candidates reach: floating-point, good advice and no proof."""

    def __init__(self, problem: Problem) -> None:
        self._steps = sorted({own.cycles for op in problem.ops for own in op.candidates})
        self._program = Program(replace(problem, max_cycles=None))
        self._goal = self._program.limited(Objective.ERROR)
        self._known: dict[int, float] = {}

    def error(self, cycles: int) -> float:
        """The least error within so many cycles; infinite where there is none."""
        at = bisect_right(self._steps, cycles) - 1
        if at not in self._known:
            relaxed = self._program.relax(self._goal, cycles)
            self._known[at] = math.inf if relaxed is None else relaxed.value
        return self._known[at]

    def following(self, cycles: int, error: float, share: float, slack: Fraction) -> int | None:
        """More cycles, within which the error is likely to be so small; None where it never is.

        Parameters
            share  what mixed candidates have of the error of choices
            slack  the ratio by which there are more than mixed candidates need
        """
        low, high = bisect_right(self._steps, cycles), len(self._steps) - 1
        if low > high:
            return None
        # at the slow end the share may be another one
        wanted = error * share if self.error(self._steps[high]) <= error * share else error
        if self.error(self._steps[high]) > wanted:
            return None
        while low < high:
            middle = (low + high) // 2
            if self.error(self._steps[middle]) > wanted:
                low = middle + 1
            else:
                high = middle
        return math.floor(self._steps[low] * slack)
