"""The solver beside the oracle that tries every selection."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dse import exhaustive, milp
from dse.evaluate import Evaluation, violation
from dse.milp import SolverError
from dse.problem import Infeasible, Objective, Problem
from tests.dse.ways import as_if_hard


def oracle(problem: Problem, objective: Objective) -> Evaluation | Infeasible:
    try:
        return exhaustive.solve(problem, objective)[1]
    except Infeasible as refusal:
        return refusal


def check_refusal(problem: Problem, found: Infeasible, expected: Infeasible) -> None:
    assert (found.alone, found.violation) == (expected.alone, expected.violation)
    if expected.alone or not expected.shortfalls:
        assert found.shortfalls == expected.shortfalls
        return
    # several choices may share the smallest overrun; the one that is reported must show it
    needed = {shortage.name: shortage.needed for shortage in found.shortfalls}
    limits = {shortage.name: shortage.limit for shortage in found.shortfalls}
    assert violation(needed, limits) == expected.violation
    assert limits.items() <= problem.limits.items()


def solved(
    problem: Problem, case: Callable[[pytest.MonkeyPatch], None], gap: float
) -> Iterator[tuple[Objective, Evaluation, milp.Solution]]:
    """Of each objective that has a choice the best by the oracle, and the solver's; only where next to nothing is found
    may it have none."""
    for objective in Objective:
        best = oracle(problem, objective)
        if isinstance(best, Infeasible):
            continue
        try:
            yield objective, best, milp.solve(problem, objective, gap=gap)
        except SolverError:
            assert case is as_if_hard
