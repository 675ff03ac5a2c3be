"""Every trade of cycles against error that no other choice beats, by the epsilon-constraint method.

The fastest choice is found first, and of all as fast the one of least error. Then the error must be less by a grain,
and so on until no choice keeps to it. Points that no weighing of cycles against error finds, unsupported ones, are
found as the others are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from dse.milp import Solution, solve
from dse.problem import Infeasible, Objective, Problem
from dse.prune import prune
from dse.search import Watch


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
    problem: Problem, objective: Objective, grain: int = 1, gap: float = 0.0,
    found: Callable[[Solution], None] = lambda solution: None, watch: Watch = lambda *_: None,
) -> Trades:  # fmt: skip
    """All points; raises ``Infeasible`` where there is none. ``found`` is told each, ``watch`` what ``solve`` tells.

    ``gap``: share of the objective, and of the error at it, by which a point may miss the least; of many ops the error
    is then the least among choices with the same interfaces alone, as ``solve`` has it. Such points are not
    ``complete``.
    """
    if grain < 1:
        raise ValueError(f"grain must be at least 1, not {grain}")
    points: list[Solution] = []
    cap = problem.max_error
    # what no cap on the error makes worth while is left out once for all
    problem = prune(problem, (objective, Objective.ERROR))
    while cap is None or cap >= 0:
        limited = dataclasses.replace(problem, max_error=cap)
        try:
            # what is least under a cap is no less under a lower one
            floor = points[-1].report if points else None
            point = solve(limited, objective, then=(Objective.ERROR,), gap=gap, floor=floor, watch=watch)
        except Infeasible:
            if not points:
                raise
            break
        points.append(point)
        found(point)
        cap = point.evaluation.error - grain
    return Trades(tuple(points), grain, all(point.report.status == "optimal" for point in points))
