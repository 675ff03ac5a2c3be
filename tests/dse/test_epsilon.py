"""The front by the program against that of all choices."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from benchmarks.inputs.problems import random_problem
from dse import certificate, exhaustive
from dse.certificate import Certificate, CertificateError, Tree, check
from dse.epsilon import pareto_points
from dse.milp import solve
from dse.pareto import non_dominated
from dse.problem import Infeasible, Objective, Problem
from tests.dse.ways import as_if_large


def front(problem: Problem, objective: Objective) -> list[tuple[Fraction, int]]:
    costs = [(e.objective(objective), e.error) for _, e in exhaustive.selections(problem) if e.feasible]
    return sorted(costs[place] for place in non_dominated(costs))


@pytest.mark.few(14)
@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("objective", list(Objective))
def test_no_point_is_missing(seed: int, objective: Objective) -> None:
    problem = random_problem(seed)
    expected = front(problem, objective)
    if not expected:
        with pytest.raises(Infeasible):
            pareto_points(problem, objective)
        return
    told = []
    found = pareto_points(problem, objective, on_point=told.append)
    assert [(point.evaluation.objective(objective), point.evaluation.error) for point in found.points] == expected
    assert tuple(told) == found.points
    assert found.complete


@pytest.mark.parametrize("seed", range(0, 40, 5))
def test_what_a_grain_leaves_out_lies_within_it(seed: int) -> None:
    problem, error_step = random_problem(seed), 5
    expected = front(problem, Objective.LATENCY)
    if not expected:
        return
    found = [
        (p.evaluation.latency, p.evaluation.error) for p in pareto_points(problem, Objective.LATENCY, error_step).points
    ]
    assert set(found) <= set(expected)
    for cycles, error in expected:
        assert any(error <= e < error + error_step and c <= cycles for c, e in found)


@pytest.mark.few(15)
@pytest.mark.parametrize("seed", range(60))
def test_points_within_a_gap_miss_cycles_or_error_by_no_more(seed: int) -> None:
    problem, gap, error_step = random_problem(seed), 0.1, 4
    expected = front(problem, Objective.BOTTLENECK)
    if not expected:
        with pytest.raises(Infeasible):
            pareto_points(problem, Objective.BOTTLENECK, error_step, gap)
        return
    points = pareto_points(problem, Objective.BOTTLENECK, error_step, gap).points
    assert points[0].evaluation.bottleneck <= expected[0][0] / (1 - gap)
    for one, other in pairwise(point.evaluation for point in points):
        assert other.error <= one.error - error_step / 2
    for point in points:
        costs, report = point.evaluation, point.report
        assert report.status in ("optimal", "within gap")
        if point.objective is Objective.ERROR:
            least = min(error for cycles, error in expected if cycles <= report.limits["cycles"])
            assert least * (1 - gap) <= costs.error * (1 - gap) <= report.bound <= least
        else:
            least = min(cycles for cycles, error in expected if error <= report.limits["error"])
            assert costs.bottleneck * (1 - gap) <= report.bound <= least
        if report.certificate is not None:
            limits = {"max_cycles": report.limits.get("cycles"), "max_error": report.limits.get("error")}
            check(replace(problem, **limits), Certificate.read(report.certificate))


@pytest.mark.parametrize("seed", range(0, 60, 4))
def test_a_bound_of_one_point_is_shown_for_the_next_one_too(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    as_if_large(monkeypatch)
    problem = random_problem(seed)
    if not front(problem, Objective.LATENCY):
        return
    for point in pareto_points(problem, Objective.LATENCY, 2, 0.1).points:
        if point.report.certificate is not None:
            limited = replace(problem, max_error=point.report.limits.get("error"))
            check(limited, Certificate.read(point.report.certificate))


def test_a_bound_shown_for_small_errors_is_refused_for_larger_ones() -> None:
    problem = replace(random_problem(3), max_error=50)
    entry = solve(problem, Objective.LATENCY).report.certificate
    assert entry is not None
    check(replace(problem, max_error=49), Certificate.read(entry))
    for more in (51, None):
        with pytest.raises(CertificateError, match=f"shown for errors up to 50, not up to {more}"):
            check(replace(problem, max_error=more), Certificate.read(entry))


def test_what_is_shown_under_a_looser_limit_is_shown_again_under_that_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    # of fewer labels others are merged, so that the tighter limit of a later point need not show the same
    seen: list[int | None] = []
    monkeypatch.setattr(
        certificate, "reduced_problem", lambda problem, goal: (seen.append(problem.max_error), problem)[1]
    )
    loose = Certificate("latency", "1", Tree(()), 50)
    for tight in (50, 49):
        with pytest.raises(CertificateError, match="labels reach the output"):
            check(replace(random_problem(3), max_error=tight), loose)
    assert seen == [50, 50]


def test_a_grain_is_positive() -> None:
    with pytest.raises(ValueError, match="error_step must be at least 1, not 0"):
        pareto_points(random_problem(0), Objective.LATENCY, 0)
