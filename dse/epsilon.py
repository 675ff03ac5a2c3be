"""Trades of an objective against the summed error, by the epsilon-constraint method.

The best choice is found first, and of all as good the one of least error. Then the error must be less by a grain, and
so on until no choice keeps to it. Points that no weighing of one against the other finds, unsupported ones, are found
as the others are. Cycles a frame take few values, and where a gap is allowed an error goes with each of them
(``dse.near``): whether just so small an error can be had within them is a harder question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dse.milp import Solution, solve
from dse.near import near_trades
from dse.problem import Infeasible, Objective, Problem
from dse.prune import prune
from dse.search import Watch


@dataclass(frozen=True)
class Trades:
    """``points`` by falling error. ``grain``: by how much the error falls at least from one to the next; in trades of
    cycles within a gap by half as much. ``complete``: each is proven to be the least, so that a choice that none of
    them beats has, for one of them, an error that is lower by less than the grain, and more of the objective.
    """

    points: tuple[Solution, ...]
    grain: int
    complete: bool


def trades(
    problem: Problem, objective: Objective, grain: int = 1, gap: float = 0.0,
    found: Callable[[Solution], None] = lambda solution: None, watch: Watch = lambda *_: None,
) -> Trades:  # fmt: skip
    """All points; raises ``Infeasible`` where there is none.

    Parameters
        problem    what is to be chosen
        objective  what error is traded for
        grain      by how much the error falls from point to point
        gap        share of the objective by which a point may miss the least, and of the error at it; of many ops the
                   error is then the least among choices with the same interfaces alone, as ``solve`` has it. Where
                   cycles are traded, share of one of the two
        found      is told each point
        watch      is told what ``solve`` tells
    """
    if grain < 1:
        raise ValueError(f"grain must be at least 1, not {grain}")
    # what no cap on the error makes worth while is left out once for all
    problem = prune(problem, (objective, Objective.ERROR))
    points: list[Solution] = []
    near = gap and objective is Objective.BOTTLENECK
    every = near_trades(problem, grain, gap, watch) if near else _all(problem, objective, grain, gap, watch)
    for point in every:
        points.append(point)
        found(point)
    return Trades(tuple(points), grain, not near and all(point.report.status == "optimal" for point in points))


def _all(problem: Problem, objective: Objective, grain: int, gap: float, watch: Watch) -> Iterator[Solution]:
    cap, last = problem.max_error, None
    while cap is None or cap >= 0:
        try:
            # what is least under a cap is no less under a lower one
            floor = None if last is None else last.report
            limited = replace(problem, max_error=cap)
            last = solve(limited, objective, then=(Objective.ERROR,), gap=gap, floor=floor, watch=watch)
        except Infeasible:
            if last is None:
                raise
            return
        yield last
        cap = last.evaluation.error - grain
