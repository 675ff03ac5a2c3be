"""Pareto points of cycles against the summed error, each to within a gap.

The linear relaxation says how few cycles an error needs; then the least error within about as many cycles is searched
for. A point is proven in one of two ways: no selection as fast has an error lower by more than the gap, or no selection
with its error is faster by more than the gap. Where errors fall steeply the second proof is easier, elsewhere the
first.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from dse.certificate import reduced_problem
from dse.milp import Solution, solution, solve
from dse.problem import Objective, Problem, Selection
from dse.program import Program
from dse.question import SearchResult, Watch
from dse.search import BoundedSearch

SLACK = Fraction(1, 4)
"""Fraction of the gap by which more cycles are allowed than the relaxation needs; exactly there, selections are few."""
LEAST_SHARE = 0.5
"""The relaxation is assumed to have at least this fraction of a selection's error."""
LEVELS = 3
"""Effort levels of the search that a point may use."""


def near_pareto_points(problem: Problem, error_step: int, gap: float, watch: Watch) -> Iterator[Solution]:
    """Find Pareto points by rising cycles.

    Parameters
        problem     the problem
        error_step  typical step in error from point to point; no step is smaller than half of it
        gap         accepted relative gap of the cycles or of the error of a point
        watch       called as in ``solve``
    Raises          Infeasible: when no selection keeps all limits
    """
    begin, curve = time.perf_counter(), _Curve(problem)
    start = solve(problem, Objective.BOTTLENECK, then=(), gap=gap, watch=watch)
    cycles, estimate, initial = start.evaluation.bottleneck, Fraction(0), start.selection
    best, error = math.inf, start.evaluation.error
    while cycles is not None and best:
        limited = problem.with_limit(Objective.BOTTLENECK, Fraction(cycles))
        restricted = reduced_problem(limited, Objective.ERROR)
        result = BoundedSearch(restricted, Objective.ERROR, gap, levels=1, estimate=estimate, watch=watch).run(initial)
        if result.evaluation is not None:
            error = result.evaluation.error
        if result.selection is not None and error <= best - error_step / 2:
            point = _proven_point(problem, limited, result, result.selection, gap, watch)
            best = error = point.evaluation.error
            yield replace(point, report=replace(point.report, seconds=time.perf_counter() - begin))
            begin = time.perf_counter()
        share = max(LEAST_SHARE, min(1.0, curve.error(cycles) / error)) if error else 1.0
        cycles, initial = curve.following(cycles, max(0.0, best - error_step), share, 1 + SLACK * Fraction(gap)), None
        estimate = Fraction(0 if cycles is None else curve.error(cycles)) / Fraction(share)


def _proven_point(
    problem: Problem, limited: Problem, result: SearchResult, selection: Selection, gap: float, watch: Watch
) -> Solution:
    """The solution of a point, proven in one of the two ways.

    Parameters
        problem    the problem
        limited    the problem limited to the cycles at which the error was minimised
        result     result of a first search for the least error
        selection  the selection that this search found
        gap        accepted relative gap
        watch      called as in ``solve``
    """
    least = solution(limited, Objective.ERROR, result, gap, 0.0)
    if least.report.gap <= gap:
        return least
    slower = replace(problem, max_error=least.evaluation.error)
    restricted, estimate = (
        reduced_problem(slower, Objective.BOTTLENECK),
        least.evaluation.bottleneck * (1 - Fraction(gap)),
    )
    other = BoundedSearch(restricted, Objective.BOTTLENECK, gap, levels=1, estimate=estimate, watch=watch).run(
        selection
    )
    least_cycles = solution(slower, Objective.BOTTLENECK, other, gap, 0.0)
    if least_cycles.report.gap <= gap:
        return least_cycles
    restricted, bound = reduced_problem(limited, Objective.ERROR), result.bound
    whole = BoundedSearch(
        restricted, Objective.ERROR, gap, bound, result.certificate, levels=LEVELS, estimate=bound, watch=watch
    )
    return solution(limited, Objective.ERROR, whole.run(selection), gap, 0.0)


class _Curve:
    """Trade-off of cycles and error in the linear relaxation, in floating point: a guide, no proof."""

    def __init__(self, problem: Problem) -> None:
        self._steps = sorted({own.cycles for op in problem.ops for own in op.candidates})
        self._program = Program(replace(problem, max_cycles=None))
        self._objective = self._program.constrained(Objective.ERROR)
        self._errors: dict[int, float] = {}

    def error(self, cycles: int) -> float:
        """The relaxation's least error within ``cycles`` per frame; infinite where it is infeasible."""
        at = bisect_right(self._steps, cycles) - 1
        if at not in self._errors:
            relaxed = self._program.relax(self._objective, cycles)
            self._errors[at] = math.inf if relaxed is None else relaxed.value
        return self._errors[at]

    def following(self, cycles: int, error: float, share: float, slack: Fraction) -> int | None:
        """The next higher limit of cycles at which the error is likely to be reached; None where it never is.

        Parameters
            cycles  the present limit
            error   the error to reach
            share   assumed ratio of the relaxation's error to that of a selection
            slack   factor on the cycles that the relaxation needs
        """
        low, high = bisect_right(self._steps, cycles), len(self._steps) - 1
        if low > high:
            return None
        # with many cycles the ratio may be different
        target = error * share if self.error(self._steps[high]) <= error * share else error
        if self.error(self._steps[high]) > target:
            return None
        while low < high:
            middle = (low + high) // 2
            if self.error(self._steps[middle]) > target:
                low = middle + 1
            else:
                high = middle
        return math.floor(self._steps[low] * slack)
