"""The search for the least value of an objective, beside every selection: what it returns, and what it reports."""

from __future__ import annotations

from fractions import Fraction

import pytest

from benchmarks.inputs.problems import random_problem, with_knees
from dse import exhaustive
from dse.certificate import check, reduced_problem
from dse.labels.goals import Goal, value_of
from dse.problem import Objective, Problem
from dse.search import BoundedSearch


def values(problem: Problem, goal: Goal) -> list[Fraction]:
    """The values of all selections that keep the limits; without an objective, of all."""
    costs = [cost for _, cost in exhaustive.selections(problem) if goal is None or cost.feasible]
    return sorted(value_of(goal, cost) for cost in costs)


@pytest.mark.parametrize("goal", [*Objective, None])
def test_bound_and_selection_meet_at_the_least_value(goal: Goal) -> None:
    impossible = 0
    for seed in range(0, 45, 6):
        problem = with_knees(random_problem(seed), seed)
        expected = values(problem, goal)
        found = BoundedSearch(reduced_problem(problem, goal), goal).run()
        assert found.impossible == (not expected)
        impossible += found.impossible
        if not expected:
            assert found.selection is None
            continue
        assert found.evaluation is not None
        assert value_of(goal, found.evaluation) == found.bound == expected[0]
        assert found.evaluation.feasible or goal is None
        assert (found.certificate is None) == (found.bound == 0)
        if found.certificate is not None:
            assert Fraction(found.certificate.value) == found.bound
            check(problem, found.certificate)
    assert impossible >= 1


def feasible_problem() -> tuple[Problem, list[Fraction]]:
    problems = map(random_problem, range(3, 100))
    return next((own, found) for own in problems if len(set(found := values(own, Objective.LATENCY))) > 10)


def test_bounds_rise_and_values_fall_until_they_meet() -> None:
    problem, expected = feasible_problem()
    reports: list[tuple[Fraction, Fraction | None]] = []

    def watch(bound: Fraction, value: Fraction | None, seconds: float) -> None:
        assert seconds >= 0
        reports.append((bound, value))

    BoundedSearch(reduced_problem(problem, Objective.LATENCY), Objective.LATENCY, watch=watch).run()
    assert len(set(reports)) == len(reports) >= 1
    bounds, best = [bound for bound, _ in reports], [value for _, value in reports if value is not None]
    assert bounds == sorted(bounds)
    assert best == sorted(best, reverse=True)
    assert reports[-1] == (expected[0], expected[0])


def test_a_search_without_time_returns_its_start_and_the_known_bound() -> None:
    problem, expected = feasible_problem()
    start, cost = max(
        (own for own in exhaustive.selections(problem) if own[1].feasible), key=lambda own: own[1].latency
    )
    bound = expected[0] - 1
    found = BoundedSearch(problem, Objective.LATENCY, lower_bound=bound, seconds=0.0).run(start)
    assert (found.selection, found.evaluation, found.bound) == (start, cost, bound)
    assert (found.certificate, found.impossible) == (None, False)


def test_a_gap_that_the_known_bound_meets_ends_the_search_at_once() -> None:
    problem, expected = feasible_problem()
    best, cost = exhaustive.solve(problem, Objective.LATENCY)
    within, bound = 1 - (expected[0] - 1) / expected[0], expected[0] - 1
    found = BoundedSearch(problem, Objective.LATENCY, float(within) + 1e-9, lower_bound=bound, most_labels=0).run(best)
    assert (found.evaluation, found.bound) == (cost, bound)
    further = BoundedSearch(problem, Objective.LATENCY, lower_bound=bound).run(best)
    assert (further.evaluation, further.bound) == (cost, expected[0])
