"""The best choice, proven by the integer program; or what is short when there is none."""

from __future__ import annotations

import math
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
from dse.program import MANY, Outcome, Program, SolverError
from dse.prune import prune

FIRST_REACH = 0.02
"""The first guess of how far the best choice lies above the relaxation's bound, as a share of it."""
FIRST = 3000
"""Candidates, of all ops, that the first guess keeps at most, as many as lie nearest to the bound."""
WIDER = 3
"""By how much the guess grows when it was too small."""
FIRST_STEP = 1 / 256
"""The first step from the least error there could be at a latency, as a share of the largest error."""
LARGE = 2000
TIE_GAP = 0.002
"""By what share ``TIE_BREAK`` may miss its least among more than so many candidates; the objective is never missed."""
EXACT = 1e-6
"""A distance between value and bound, as a share of the value, that counts as none."""


@dataclass(frozen=True)
class SolverReport:
    """``status``: ``optimal`` when proven to be the least, ``within gap`` when proven to miss it by no more than the
    gap asked for, ``feasible`` where the search ended before either was proven.
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

    ``gap``: share of the objective by which it may miss the least; ``TIE_BREAK``, and among many ops whatever comes
    ``then``, looks only at choices with the same interfaces, and the least error of many ops at a latency is searched
    for without being proven. ``floor``: a bound that is known, such as that of the same problem under fewer limits.
    ``time_limit`` in seconds a program; deterministic while none is hit. Raises
    ``Infeasible`` with what is short, and ``SolverError`` where time ran out before any choice was found.
    """
    begin = time.perf_counter()
    order = (objective, *((TIE_BREAK[objective],) if then is None else then))
    exact = then is not None
    many = len(problem.ops) > MANY
    rest = order
    if objective is Objective.BOTTLENECK:
        rest = order[1:]
        found = _slowest(problem, rest, floor, gap, exact, time_limit)
    elif gap and many and objective is Objective.ERROR and problem.max_latency is not None:
        found = _least_error(prune(problem, (*order, Objective.LATENCY)), problem.max_latency, gap, time_limit)
    else:
        found = _narrowed(prune(problem, order), objective, gap, time_limit)
    if found is None:
        raise _infeasible(prune(problem, order))
    narrow, outcome, bound = found
    bound = max(bound, floor)
    selection, evaluation = outcome.selection, evaluate(problem, outcome.selection)
    if not evaluation.feasible:
        raise SolverError(f"the solver found a choice that costs {evaluation}, over a limit")
    if gap and (many or not exact):
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
    nearest = sorted(cost for costs in reduced_costs for cost in costs)
    if len(nearest) > FIRST:
        reach = max(_room(floor), min(reach, nearest[FIRST]))
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
        # what costs more is proven to be no better by more than the gap; while wider programs still bring the value
        # down, all the way there is further than needed
        distance = outcome.value - gap * max(1.0, outcome.value) - floor + _room(floor)
        better = best is None or outcome.value < best.value - _room(best.value)
        reach = min(distance, WIDER * reach) if better else distance
        best = outcome


def _least_error(
    problem: Problem, latency: int | Fraction, gap: float, time_limit: float | None
) -> tuple[Problem, Outcome, float] | None:
    """As ``_narrowed`` for the error at a latency, from the other side: which cap on the error leaves a choice as fast.

    In large networks the solver finds no choice in minutes whose formats alone make it fast enough, where it finds a
    fast one under a cap on the error in seconds. The cap grows in doubled steps from the relaxation's bound, and is
    then halved in until it lies within ``gap`` of one that left none. What is proven is the bound alone: that of the
    relaxation, or of the highest cap that leaves no choice.
    """
    program = Program(problem)
    relaxed = program.relax(program.limited(Objective.ERROR))
    if relaxed is None:
        return None
    most = sum(max(own.error for own in op.candidates) for op in problem.ops)
    low = math.ceil(relaxed[0] - _room(relaxed[0])) - 1
    bound, step = low + 1, max(1, math.ceil(gap * low), round(FIRST_STEP * most))
    best: tuple[Problem, Outcome] | None = None
    while best is None or best[1].value - low > max(1.0, gap * best[1].value):
        if best is None and low >= most:
            return _narrowed(problem, Objective.ERROR, gap, time_limit)
        cap = low + step if best is None else (low + int(best[1].value)) // 2
        step *= 2
        capped = replace(problem, max_latency=None).capped(Objective.ERROR, Fraction(cap))
        found = _narrowed(capped, Objective.LATENCY, gap, time_limit)
        reached = found and evaluate(problem, found[1].selection)
        if found and reached and reached.latency <= latency:
            narrow, outcome, _ = found
            value = float(reached.error)
            best = replace(narrow, max_latency=latency), replace(outcome, value=value, bound=bound, proven=True)
        else:
            low = cap
            if found is None or found[2] > latency + _room(float(latency)):
                bound = cap + 1
    return *best, float(bound)


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
