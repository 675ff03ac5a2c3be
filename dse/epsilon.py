"""Every trade of cycles against error that no other choice beats, by the epsilon-constraint method.

The fastest choice is found first, and of all as fast the one of least error. Then the error must be less by a grain,
and so on until no choice keeps to it. Points that no weighing of cycles against error finds, unsupported ones, are
found as the others are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from dse.milp import Solution, least_error, solve
from dse.problem import Infeasible, Objective, Problem


@dataclass(frozen=True)
class Trades:
    """``points`` by rising cycles and falling error. ``grain``: by how much the error fell at least from one to the
    next. ``complete``: each is proven, so that a choice that none of them beats has, for one of them, an error that is
    lower by less than the grain, and more cycles.
    """

    points: tuple[Solution, ...]
    grain: int
    complete: bool


def trades(
    problem: Problem, objective: Objective, grain: int = 1, time_limit: float | None = None,
    found: Callable[[Solution], None] = lambda solution: None,
) -> Trades:  # fmt: skip
    """All points; raises ``Infeasible`` where there is none. ``found`` is told each."""
    if grain < 1:
        raise ValueError(f"grain must be at least 1, not {grain}")
    points: list[Solution] = []
    cap = problem.max_error
    while cap is None or cap >= 0:
        limited = dataclasses.replace(problem, max_error=cap)
        try:
            fastest = solve(limited, objective, time_limit=time_limit)
        except Infeasible:
            if not points:
                raise
            break
        point = least_error(limited, objective, fastest, time_limit)
        points.append(point)
        found(point)
        cap = point.evaluation.error - grain
    return Trades(tuple(points), grain, all(point.report.status == "optimal" for point in points))
