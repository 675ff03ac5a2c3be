"""The best selection, with a bound that is proven in integers, or an explanation why there is no selection.

``search`` minimises one objective. This module settles objectives in lexicographic order, reports what is proven of a
solution, and finds out which limits cannot be kept.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from dse.certificate import Certificate, reduced_problem
from dse.effort import EFFORT
from dse.evaluate import Evaluation, evaluate
from dse.labels.kernels import NEVER
from dse.labels.limits import Limits
from dse.labels.network import Network
from dse.labels.weights import Weights
from dse.problem import LARGEST, TIE_BREAK, Infeasible, Objective, Problem, Selection, Shortfall
from dse.program import SolverError
from dse.prune import fast_enough, prune
from dse.question import SearchResult, Watch
from dse.search import BoundedSearch

LARGE = 2000
"""Number of candidates above which a problem counts as large."""
TIE_GAP = 0.002
"""Relative gap at which ties are broken in large problems; the first objective never gets this gap."""
TIE_EFFORT = 20_000_000
"""Labels examined at most to break ties in large problems."""


@dataclass(frozen=True)
class SolverReport:
    """What is proven of a solution.

    Parameters
        status       ``optimal`` when proven to be the least; ``within gap`` when proven to miss it by no more than the
                     accepted gap; ``feasible`` when the search ended before either was proven
        objective    value of the solution, in the unit of the objective
        bound        lower bound: no selection has less
        gap          distance from bound to objective, as a fraction of the objective
        seconds      time of the whole search
        certificate  proof of ``bound`` as ``dse.certificate`` reads it; None where the bound is 0
        limits       limits of the problem, by name: resources, and cycles, error and latency where limited
    Raises           SolverError: when ``bound`` is above ``objective``
    """

    status: str
    objective: float
    bound: float
    gap: float
    seconds: float
    certificate: dict[str, Any] | None = None
    limits: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.bound > self.objective:
            raise SolverError(f"a bound of {self.bound} is above the objective, {self.objective}: a proof is false")


@dataclass(frozen=True)
class Solution:
    """A selection, what it costs, and what is proven of its objective.

    Parameters
        selection   one candidate per op, by op name
        evaluation  costs of the selection
        report      what is proven
        objective   the objective that was minimised
    """

    selection: Selection
    evaluation: Evaluation
    report: SolverReport
    objective: Objective


def solve(
    problem: Problem, objective: Objective, *, then: Sequence[Objective] | None = None, gap: float = 0.0,
    time_limit: float | None = None, lower_bound: SolverReport | None = None, watch: Watch = lambda *_: None,
) -> Solution:  # fmt: skip
    """Minimise an objective; further objectives break ties.

    The objectives are settled in lexicographic order. A problem of more than ``LARGE`` candidates has its ties broken
    only among selections with the same interfaces, to within ``TIE_GAP``, unless ``then`` is given and the gap is 0.
    The result is deterministic while no time limit is hit.

    Parameters
        problem      the problem
        objective    what to minimise first
        then         objectives that break ties, in their order; None for that of ``TIE_BREAK``
        gap          accepted relative gap to the optimum
        time_limit   seconds for each objective; None for no limit
        lower_bound  report of the same problem with fewer or looser limits; its lower bound holds here too
        watch        called with lower bound, best value or None, and seconds, when one of the first two changes
    Raises           Infeasible: when no selection keeps all limits
                     SolverError: when the search ended before it found a selection
    """
    begin = time.perf_counter()
    order = (objective, *((TIE_BREAK[objective],) if then is None else then))
    restricted = reduced_problem(problem, objective)
    proven, bound_certificate = Fraction(0), None
    if lower_bound is not None and lower_bound.certificate is not None:
        bound_certificate = Certificate.read(lower_bound.certificate)
        proven = Fraction(bound_certificate.value)
    result = BoundedSearch(restricted, objective, gap, proven, bound_certificate, time_limit, watch=watch).run()
    if result.selection is None or result.evaluation is None:
        if result.impossible:
            raise infeasible(prune(problem, (Objective.ERROR, objective)), time_limit)
        bound = float(result.bound)
        raise SolverError(f"the search ended before it found a choice; none has less than {bound:.6g} of {objective}")
    selection, evaluation = result.selection, result.evaluation
    many = sum(len(op.candidates) for op in restricted.ops) > LARGE
    restricted = prune(problem, order)
    for fixed, target in pairwise(order):
        restricted = _as_good(restricted, fixed, evaluation)
        if many and (then is None or gap):
            restricted, enough, effort = _same_interfaces(restricted, selection), max(gap, TIE_GAP), TIE_EFFORT
        else:
            enough, effort = gap, EFFORT
        further = BoundedSearch(
            prune(restricted, (target,)), target, enough, seconds=time_limit, most_labels=effort
        ).run(selection)
        if further.selection is not None:
            selection, evaluation = further.selection, evaluate(problem, further.selection)
    result = replace(result, selection=selection, evaluation=evaluation)
    return solution(problem, objective, result, gap, time.perf_counter() - begin)


def solution(problem: Problem, objective: Objective, result: SearchResult, gap: float, seconds: float) -> Solution:
    """The result of a search as a ``Solution``, with its status and its gap.

    Parameters
        problem    the problem
        objective  the objective that was minimised
        result     result of the search, with a selection
        gap        accepted relative gap
        seconds    time of the search
    """
    assert result.selection is not None
    assert result.evaluation is not None
    value, bound = result.evaluation.objective(objective), result.bound
    relative_gap = (value - bound) / value if value else Fraction(0)
    status = "optimal" if value == bound else "within gap" if relative_gap <= Fraction(gap) else "feasible"
    entry = None if result.certificate is None else result.certificate.entry
    report = SolverReport(status, float(value), float(bound), float(relative_gap), seconds, entry, problem.limits)
    return Solution(result.selection, result.evaluation, report, objective)


def least_utilisation(problem: Problem, *, gap: float = 0.0, time_limit: float | None = None) -> Fraction:
    """The lowest utilisation of any selection that keeps all limits.

    Parameters
        problem     the problem
        gap         accepted relative gap
        time_limit  seconds; None for no limit
    Raises          Infeasible: when no selection keeps all limits
    """
    optimum = solve(problem, Objective.UTILISATION, then=(), gap=gap, time_limit=time_limit)
    return optimum.evaluation.utilisation


def _as_good(problem: Problem, objective: Objective, evaluation: Evaluation) -> Problem:
    """The problem restricted to selections that are as good in an objective as the one evaluated."""
    fast = fast_enough(problem, evaluation.bottleneck) if objective is Objective.BOTTLENECK else None
    return problem.with_limit(objective, evaluation.objective(objective)) if fast is None else fast


def _same_interfaces(problem: Problem, selection: Selection) -> Problem:
    """The problem restricted to candidates with the interfaces of a selection."""
    ops = []
    for op in problem.ops:
        own = selection[op.name]
        same = tuple(c for c in op.candidates if (c.writes, c.reads) == (own.writes, own.reads))
        ops.append(replace(op, candidates=same))
    return replace(problem, ops=tuple(ops))


def infeasible(problem: Problem, time_limit: float | None = None) -> Infeasible:
    """Find out which limits cannot be kept.

    For each limited quantity the least amount of any selection is computed, all other limits lifted, and for all limits
    together the smallest possible largest violation.

    Parameters
        problem     a problem without a feasible selection
        time_limit  seconds for each search; None for no limit
    Returns         the exception, for the caller to raise
    Raises          SolverError: when the search ended before the shortfalls were known
    """
    network = Network(problem, timed=False, whole=True)
    if not network.connectable:
        return Infeasible(problem.name, (), False, Fraction(0))
    closest = BoundedSearch(problem, None, seconds=time_limit).run()
    if closest.evaluation is None or closest.bound < closest.evaluation.violation:
        raise SolverError(f"{problem.name}: no choice keeps all limits; the search ended before it found by how little")
    least = {name: _least(problem, network, name, time_limit) for name in problem.limits}
    alone = any(least[name] > limit for name, limit in problem.limits.items())
    needed = least if alone else closest.evaluation.amounts
    short = (Shortfall(name, needed[name], limit) for name, limit in problem.limits.items() if needed[name] > limit)
    return Infeasible(problem.name, tuple(short), alone, closest.evaluation.violation)


def _least(problem: Problem, network: Network, name: str, time_limit: float | None) -> int:
    """The least amount of a limited quantity over all selections, all other limits lifted."""
    if name == "latency":
        unlimited = replace(
            problem, budget=dict.fromkeys(problem.budget, LARGEST), max_cycles=None, max_error=None, max_latency=None
        )
        result = BoundedSearch(prune(unlimited, (Objective.LATENCY,)), Objective.LATENCY, seconds=time_limit).run()
        if result.evaluation is None or result.bound < result.evaluation.latency:
            raise SolverError(
                f"{problem.name}: no choice keeps all limits; the search ended before it found the least latency"
            )
        return int(result.bound)
    if name == "cycles":
        steps = sorted({own.cycles for op in problem.ops for own in op.candidates})
        low, high = 0, len(steps) - 1
        while low < high:
            middle = (low + high) // 2
            if _lightest(network, None, steps[middle]) < NEVER:
                high = middle
            else:
                low = middle + 1
        return steps[low]
    return _lightest(network, name, NEVER)


def _lightest(network: Network, row: str | None, cycles: int) -> int:
    """The least amount of one row over selections whose ops take at most ``cycles`` each; ``NEVER`` without any."""
    rows = np.array([int(name == row) for name in network.row_names], np.int64)
    limits = Limits(NEVER, np.full(len(rows), NEVER), cycles)
    return Weights.plain(network, rows).least(network, limits)
