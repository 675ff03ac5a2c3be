"""The best choice, proven by the integer program; or what is short when there is none."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from dse.problem import (
    TIE_BREAK,
    Evaluation,
    Infeasible,
    Objective,
    Op,
    Problem,
    Selection,
    Shortage,
    evaluate,
)
from dse.program import Outcome, Program, SolverError
from dse.prune import prune

FIRST_REACH = 0.02
"""The first guess of how far the best choice lies above the relaxation's bound, as a share of it."""
WIDER = 3
"""By how much the guess grows when it was too small."""
LARGE = 2000
TIE_GAP = 0.002
"""By what share ``TIE_BREAK`` may miss its least among more than so many candidates; the objective is never missed."""
EXACT = 1e-6
"""A distance between value and bound, as a share of the value, that counts as none."""


@dataclass(frozen=True)
class SolverReport:
    """``status``: ``optimal`` when proven to be the least, ``within gap`` when proven to miss it by no more than the
    gap asked for, ``feasible`` when time ran out first.
    ``objective`` in its own unit, as found; ``bound``: no choice has less; ``gap``: their distance as a share of
    the objective; ``seconds`` in all."""

    status: str
    objective: float
    bound: float
    gap: float
    seconds: float


@dataclass(frozen=True)
class Solution:
    selection: Selection
    evaluation: Evaluation
    report: SolverReport


def solve(
    problem: Problem, objective: Objective, *, then: Sequence[Objective] | None = None, gap: float = 0.0,
    time_limit: float | None = None, floor: float = 0.0,
) -> Solution:  # fmt: skip
    """The choice with the least objective; among equals the one with the least of what comes ``then``, one after the
    other, each by a further program; ``TIE_BREAK`` says it where it is not given.

    ``gap``: share of the objective by which it may miss the least; ``TIE_BREAK`` then looks only at choices with the
    same interfaces. ``floor``: a bound that is known, such as that of the same problem under fewer limits.
    ``time_limit`` in seconds a program; deterministic while none is hit. Raises
    ``Infeasible`` with what is short, and ``SolverError`` where time ran out before any choice was found.
    """
    begin = time.perf_counter()
    order = (objective, *((TIE_BREAK[objective],) if then is None else then))
    exact = then is not None
    rest = order
    if objective is Objective.BOTTLENECK:
        rest = order[1:]
        found = _slowest(problem, rest, floor, gap, exact, time_limit)
    else:
        found = _narrowed(prune(problem, order), objective, gap, time_limit)
    if found is None:
        raise _infeasible(prune(problem, order))
    narrow, outcome, bound = found
    bound = max(bound, floor)
    selection, evaluation = outcome.selection, evaluate(problem, outcome.selection)
    if not evaluation.feasible:
        raise SolverError(f"the solver found a choice that costs {evaluation}, over a limit")
    if gap and not exact:
        narrow = _same_interfaces(narrow, selection)
    proven = outcome.proven
    for settled, wanted in pairwise(rest):
        narrow = narrow.capped(settled, evaluation.objective(settled))
        program = Program(narrow)
        enough = _enough(narrow, gap, exact)
        smaller = program.minimise(program.limited(wanted), enough, time_limit, start=selection)
        if smaller is not None:
            proven &= smaller.proven
            other = evaluate(problem, smaller.selection)
            # exact figures decide, as the solver's tolerance could let a slightly worse objective through
            if other.feasible and _rank(other, order) < _rank(evaluation, order):
                selection, evaluation = smaller.selection, other
    value = float(evaluation.objective(objective))
    missed = max(0.0, value - bound) / max(1.0, value)
    status = "optimal" if missed <= EXACT else "within gap" if missed <= gap else "feasible"
    report = SolverReport(status if proven else "feasible", value, bound, missed, time.perf_counter() - begin)
    return Solution(selection, evaluation, report)


def least_utilisation(problem: Problem, *, gap: float = 0.0, time_limit: float | None = None) -> Fraction:
    """The lowest utilisation at which all limits are kept, to within ``gap``; ``Infeasible`` where they cannot be."""
    found = solve(problem, Objective.UTILISATION, then=(), gap=gap, time_limit=time_limit)
    return found.evaluation.utilisation


def _enough(problem: Problem, gap: float, exact: bool) -> float:
    """The gap of a further program, ``exact`` where what it minimises was asked for."""
    large = sum(len(op.candidates) for op in problem.ops) > LARGE
    return max(gap, TIE_GAP) if large and not exact else gap


def _room(value: float) -> float:
    return EXACT * max(1.0, value)


def _rank(evaluation: Evaluation, order: Sequence[Objective]) -> tuple[Fraction, ...]:
    return tuple(evaluation.objective(objective) for objective in order)


def _same_interfaces(problem: Problem, selection: Selection) -> Problem:
    ops = []
    for op in problem.ops:
        own = selection[op.name]
        same = tuple(c for c in op.candidates if (c.writes, c.reads) == (own.writes, own.reads))
        ops.append(replace(op, candidates=same))
    return replace(problem, ops=tuple(ops))


def _slowest(
    problem: Problem, then: Sequence[Objective], floor: float, gap: float, exact: bool, time_limit: float | None
) -> tuple[Problem, Outcome, float] | None:
    """The problem of the candidates fast enough for the least bottleneck, the best choice of them, and that bottleneck.

    It is the cycles of one of the candidates; of those within ``gap`` the largest stands for all, and the smallest is
    the bound. Whether candidates that take no more leave any choice is asked of the relaxation, in growing steps from
    the floor and then by bisection, and at last of whole picks, one after the other. Among candidates that are fast
    enough cycles count no more, so that few remain undominated.
    """
    least = max(floor, *(min(own.cycles for own in op.candidates) for op in problem.ops))
    steps = sorted({own.cycles for op in problem.ops for own in op.candidates if own.cycles >= least})
    groups: list[tuple[int, int]] = []
    for cycles in steps:
        if problem.max_cycles is None or cycles <= problem.max_cycles:
            if groups and cycles - groups[-1][0] <= gap * cycles:
                groups[-1] = groups[-1][0], cycles
            else:
                groups.append((cycles, cycles))

    def fast_enough(cycles: int) -> Problem:
        ops = (replace(op, candidates=tuple(c for c in op.candidates if c.cycles <= cycles)) for op in problem.ops)
        return prune(replace(problem, ops=tuple(ops), max_cycles=None), then)

    def relaxed(group: tuple[int, int]) -> bool:
        program = Program(fast_enough(group[1]))
        program.limit()
        return program.relax([]) is not None

    low, high, stride = 0, 0, 1
    while high < len(groups) and not relaxed(groups[high]):
        low, high, stride = high + 1, high + stride, 2 * stride
    for bound, cycles in groups[bisect_left(groups, True, low, min(high, len(groups)), key=relaxed) :]:
        narrow = fast_enough(cycles)
        program = Program(narrow)
        program.limit()
        goal = program.goal(then[0]) if then else []
        outcome = program.minimise(goal, _enough(narrow, gap, exact), time_limit)
        if outcome is not None:
            return narrow, outcome, bound
    return None


def _narrowed(
    problem: Problem, objective: Objective, gap: float, time_limit: float | None
) -> tuple[Problem, Outcome, float] | None:
    """The problem of the candidates that can matter, its best choice, and a bound on every choice.

    The relaxation gives a bound on every choice, and a reduced cost a candidate: a choice with it costs at least
    bound and reduced cost together. So the candidates within reach, the distance from the bound to the best
    choice, are enough. The reach is guessed, and widened until the best choice found lies within it.
    """
    program = Program(problem)
    relaxed = program.relax(program.limited(objective))
    if relaxed is None:
        return None
    floor, reduced_costs = relaxed
    reach = FIRST_REACH * max(1.0, floor)
    best: Outcome | None = None
    while True:
        slack = reach + _room(floor)
        ops = tuple(_within(op, costs, slack) for op, costs in zip(problem.ops, reduced_costs, strict=True))
        whole = ops == problem.ops
        narrower = replace(problem, ops=ops)
        program = Program(narrower)
        outcome = program.minimise(program.limited(objective), gap, time_limit, start=best and best.selection)
        if outcome is None:
            if whole:
                return None
            reach *= WIDER
            continue
        bound = outcome.bound if whole else min(outcome.bound, floor + reach)
        if whole or not outcome.proven or outcome.value - bound <= max(gap, EXACT) * max(1.0, outcome.value):
            return narrower, outcome, bound
        # while wider programs still bring the value down, all the way to it is further than needed
        distance = outcome.value - floor
        better = best is None or outcome.value < best.value - _room(best.value)
        reach = min(distance, WIDER * reach) if better else distance
        best = outcome


def _within(op: Op, reduced_costs: list[float], slack: float) -> Op:
    kept = (c for c, cost in zip(op.candidates, reduced_costs, strict=True) if cost <= slack)
    return replace(op, candidates=tuple(kept))


def _infeasible(problem: Problem) -> Infeasible:
    """What is short: the least of each limited amount alone, and the smallest overrun of all together."""
    program = Program(problem)
    elastic = program.minimise(program.overrun())
    if elastic is None:
        return Infeasible(problem.name, (), False, Fraction(0))
    together = evaluate(problem, elastic.selection)
    least: dict[str, int | Fraction] = {}
    for name in problem.limits:
        program = Program(problem)
        found = program.minimise(program.amount(name))
        assert found is not None, "without limits, a problem that can be joined has a choice"
        least[name] = evaluate(problem, found.selection).amounts[name]
    alone = any(least[name] > limit for name, limit in problem.limits.items())
    needed = least if alone else together.amounts
    short = (Shortage(name, needed[name], limit) for name, limit in problem.limits.items() if needed[name] > limit)
    return Infeasible(problem.name, tuple(short), alone, together.overrun)
