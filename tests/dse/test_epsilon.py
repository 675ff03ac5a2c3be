"""The front by the program against that of all choices."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dse import exhaustive
from dse.epsilon import trades
from dse.pareto import non_dominated
from dse.problem import Infeasible, Objective, Problem
from tests.dse.problems import random_problem


def front(problem: Problem, objective: Objective) -> list[tuple[Fraction, int]]:
    costs = [(e.objective(objective), e.error) for _, e in exhaustive.selections(problem) if e.feasible]
    return sorted(costs[place] for place in non_dominated(costs))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("objective", list(Objective))
def test_no_point_is_missing(seed: int, objective: Objective) -> None:
    problem = random_problem(seed)
    expected = front(problem, objective)
    if not expected:
        with pytest.raises(Infeasible):
            trades(problem, objective)
        return
    told = []
    found = trades(problem, objective, found=told.append)
    assert [(point.evaluation.objective(objective), point.evaluation.error) for point in found.points] == expected
    assert tuple(told) == found.points
    assert found.complete


@pytest.mark.parametrize("seed", range(0, 40, 5))
def test_what_a_grain_leaves_out_lies_within_it(seed: int) -> None:
    problem, grain = random_problem(seed), 5
    expected = front(problem, Objective.LATENCY)
    if not expected:
        return
    found = [(p.evaluation.latency, p.evaluation.error) for p in trades(problem, Objective.LATENCY, grain).points]
    assert set(found) <= set(expected)
    for cycles, error in expected:
        assert any(error <= e < error + grain and c <= cycles for c, e in found)


def test_a_grain_is_positive() -> None:
    with pytest.raises(ValueError, match="grain must be at least 1, not 0"):
        trades(random_problem(0), Objective.LATENCY, 0)
