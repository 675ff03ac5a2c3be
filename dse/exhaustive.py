"""Every selection, one after the other: the oracle that the integer program is checked against."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction

from dse.evaluate import Evaluation, evaluate
from dse.problem import TIE_BREAK, Infeasible, Objective, Problem, Selection, Shortfall


def selections(problem: Problem) -> Iterator[tuple[Selection, Evaluation]]:
    """Every selection whose edges all have a link, feasible or not.

    Their number is up to the product of the candidate counts of all ops.

    Parameters
        problem  the problem
    """
    names = [op.name for op in problem.ops]
    for combination in itertools.product(*(op.candidates for op in problem.ops)):
        selection = dict(zip(names, combination, strict=True))
        if all(
            (selection[edge.producer].writes, selection[edge.consumer].reads[edge.index]) in edge.links
            for edge in problem.edges
        ):
            yield selection, evaluate(problem, selection)


def solve(problem: Problem, objective: Objective) -> tuple[Selection, Evaluation]:
    """The first of the best feasible selections; ``TIE_BREAK`` decides among equals.

    Parameters
        problem    the problem
        objective  what to minimise
    Raises         Infeasible: when no selection keeps all limits
    """
    connected = list(selections(problem))
    feasible = [pair for pair in connected if pair[1].feasible]
    if not feasible:
        raise _infeasible(problem, [evaluation for _, evaluation in connected])
    return min(feasible, key=lambda pair: (pair[1].objective(objective), pair[1].objective(TIE_BREAK[objective])))


def _infeasible(problem: Problem, connected: list[Evaluation]) -> Infeasible:
    if not connected:
        return Infeasible(problem.name, (), False, Fraction(0))
    best = min(connected, key=lambda evaluation: evaluation.violation)
    least = {name: min(evaluation.amounts[name] for evaluation in connected) for name in problem.limits}
    alone = any(least[name] > limit for name, limit in problem.limits.items())
    needed = least if alone else best.amounts
    short = (Shortfall(name, needed[name], limit) for name, limit in problem.limits.items() if needed[name] > limit)
    return Infeasible(problem.name, tuple(short), alone, best.violation)
