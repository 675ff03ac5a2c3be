"""Pareto points of an objective against the summed error, by the epsilon-constraint method.

First the optimum of the objective is found, and among equals the one of least error. Then the error must be smaller by
one step, and so on until no selection keeps to it. This also finds unsupported points, which no weighted sum of the two
finds. Cycles per frame take few values; where a gap is allowed, the search goes from one of these values to another
(``dse.near``), as it is harder to decide whether a given error is possible within given cycles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dse.milp import Solution, solve
from dse.near import near_pareto_points
from dse.problem import Infeasible, Objective, Problem
from dse.prune import prune
from dse.question import Watch


@dataclass(frozen=True)
class ParetoPoints:
    """Pareto points of an objective against the summed error.

    Parameters
        points        solutions by falling error
        error_step    least difference in error between neighbouring points; half of it where cycles are traded within a
                      gap
        complete      whether each point is proven optimal. Then a selection that no point dominates has, compared with
                      one of the points, an error lower by less than ``error_step`` and more of the objective
    """

    points: tuple[Solution, ...]
    error_step: int
    complete: bool


def pareto_points(
    problem: Problem, objective: Objective, error_step: int = 1, gap: float = 0.0,
    on_point: Callable[[Solution], None] = lambda solution: None, watch: Watch = lambda *_: None,
) -> ParetoPoints:  # fmt: skip
    """Find all Pareto points.

    Parameters
        problem     the problem
        objective   what is traded against the error
        error_step  epsilon step: by how much the error falls from point to point, at least 1
        gap         accepted relative gap of the objective at a point, and of the error there; where cycles are traded,
                    of one of the two. Large problems break ties in the error as in ``solve``
        on_point    called with each point
        watch       called as in ``solve``
    Raises          Infeasible: when no selection keeps all limits
                    ValueError: when ``error_step`` is below 1
    """
    if error_step < 1:
        raise ValueError(f"error_step must be at least 1, not {error_step}")
    # remove once the candidates that are dominated whatever the limit of the error
    problem = prune(problem, (objective, Objective.ERROR))
    points: list[Solution] = []
    near = gap and objective is Objective.BOTTLENECK
    every = (
        near_pareto_points(problem, error_step, gap, watch)
        if near
        else _all(problem, objective, error_step, gap, watch)
    )
    for point in every:
        points.append(point)
        on_point(point)
    return ParetoPoints(
        tuple(points), error_step, not near and all(point.report.status == "optimal" for point in points)
    )


def _all(problem: Problem, objective: Objective, error_step: int, gap: float, watch: Watch) -> Iterator[Solution]:
    cap, last = problem.max_error, None
    while cap is None or cap >= 0:
        try:
            # a lower bound under one limit of the error holds under a smaller limit too
            lower_bound = None if last is None else last.report
            limited = replace(problem, max_error=cap)
            last = solve(limited, objective, then=(Objective.ERROR,), gap=gap, lower_bound=lower_bound, watch=watch)
        except Infeasible:
            if last is None:
                raise
            return
        yield last
        cap = last.evaluation.error - error_step
