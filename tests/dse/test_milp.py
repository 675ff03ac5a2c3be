"""The integer program against the oracle that tries every selection, and on long chains against a dynamic program."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import pytest

from benchmarks.inputs.problems import random_problem, with_knees
from dse import exhaustive, milp, search
from dse.evaluate import Evaluation, evaluate, utilisation
from dse.milp import SolverError, SolverReport
from dse.problem import TIE_BREAK, Infeasible, Objective, Problem, Shortfall
from tests.dse.chains import optimum, random_chain
from tests.dse.oracle import check_refusal, oracle, solved
from tests.dse.ways import as_if_folded, as_if_hard, as_if_large


def check_against_the_oracle(seed: int) -> None:
    problem = with_knees(random_problem(seed), seed) if seed % 3 == 0 else random_problem(seed)
    for objective in Objective:
        best = oracle(problem, objective)
        if isinstance(best, Infeasible):
            with pytest.raises(Infeasible) as caught:
                milp.solve(problem, objective)
            check_refusal(problem, caught.value, best)
            continue
        solution = milp.solve(problem, objective)
        value = best.objective(objective)
        assert solution.evaluation == evaluate(problem, solution.selection)
        assert solution.evaluation.feasible
        assert solution.evaluation.objective(objective) == value
        tie_break = TIE_BREAK[objective]
        assert solution.evaluation.objective(tie_break) == best.objective(tie_break)
        assert solution.report.status == "optimal"
        assert solution.report.objective == float(value)
        assert solution.report.bound == float(value)
        assert solution.report.gap == 0
        assert solution.report.seconds > 0


@pytest.mark.few(15)
@pytest.mark.parametrize("seed", range(60))
def test_equals_the_oracle(seed: int) -> None:
    check_against_the_oracle(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60, 300))
def test_equals_the_oracle_on_more_problems(seed: int) -> None:
    check_against_the_oracle(seed)


def test_the_random_problems_cover_what_can_happen() -> None:
    outcomes = [oracle(random_problem(seed), Objective.LATENCY) for seed in range(50)]
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Infeasible)]
    assert len(refusals) <= 35
    assert sum(refusal.alone for refusal in refusals) >= 5
    assert sum(bool(refusal.shortfalls) and not refusal.alone for refusal in refusals) >= 1
    assert sum(not refusal.shortfalls for refusal in refusals) >= 1


@pytest.mark.parametrize("seed", range(0, 100, 7))
@pytest.mark.parametrize("objective", [Objective.BOTTLENECK, Objective.LATENCY])
def test_a_gap_is_kept_to(seed: int, objective: Objective) -> None:
    problem = random_problem(seed)
    best = oracle(problem, objective)
    if isinstance(best, Infeasible):
        with pytest.raises(Infeasible):
            milp.solve(problem, objective, gap=0.2)
        return
    solution = milp.solve(problem, objective, gap=0.2)
    least, found = float(best.objective(objective)), float(solution.evaluation.objective(objective))
    assert solution.evaluation.feasible
    assert least <= found
    assert found - least <= 0.2 * found + 1e-6
    assert solution.report.bound <= least + 1e-6
    assert solution.report.gap <= 0.2 + 1e-6


@pytest.mark.few(12)
@pytest.mark.parametrize("seed", range(0, 120, 3))
@pytest.mark.parametrize("case", [as_if_large, as_if_folded, as_if_hard])
def test_every_way_to_a_bound_is_below_every_choice(
    seed: int, case: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    case(monkeypatch)
    problem = random_problem(seed)
    for objective in Objective:
        if isinstance(oracle(problem, objective), Infeasible):
            # what only a time left out shows to be impossible stays open
            with pytest.raises((Infeasible, SolverError)):
                milp.solve(problem, objective, gap=0.1)
    for objective, best, solution in solved(problem, case, 0.1):
        assert solution.evaluation == evaluate(problem, solution.selection)
        assert solution.evaluation.feasible
        assert solution.report.bound <= float(best.objective(objective)) <= solution.report.objective
        assert (solution.report.status == "feasible") == (solution.report.gap > 0.1)


def test_a_bound_above_the_objective_is_refused() -> None:
    with pytest.raises(SolverError, match=r"a bound of 11\.0 is above the objective, 10\.0: a proof is false"):
        SolverReport("optimal", 10.0, 11.0, 0.0, 0.1)


@pytest.mark.parametrize("seed", range(0, 100, 5))
def test_least_utilisation(seed: int) -> None:
    problem = random_problem(seed)
    fitting = [utilisation(e.resources, problem.budget) for _, e in exhaustive.selections(problem) if e.feasible]
    if fitting:
        assert milp.least_utilisation(problem) == min(fitting)
    else:
        with pytest.raises(Infeasible):
            milp.least_utilisation(problem)


def test_the_same_problem_gives_the_same_choice() -> None:
    problem = next(p for p in map(random_problem, range(100)) if isinstance(oracle(p, Objective.LATENCY), Evaluation))
    first, second = (milp.solve(problem, Objective.LATENCY) for _ in range(2))
    assert first.selection == second.selection


def test_the_message_names_what_is_short() -> None:
    problem = dataclasses.replace(random_problem(3), budget={"lut": 0, "bram": 0, "dsp": 0})
    with pytest.raises(Infeasible, match=re.escape("infeasible on tiny: needs at least ")) as caught:
        milp.solve(problem, Objective.LATENCY)
    assert f"{caught.value.shortfalls[0].needed} LUT, has 0" in str(caught.value)
    assert str(Shortfall("cycles", 9, 5)) == "9 cycles a frame, limit 5"
    assert str(Shortfall("latency", 10, 5)) == "10 cycles of latency, limit 5"


def test_a_latency_out_of_reach_is_named() -> None:
    problem = dataclasses.replace(random_problem(3), max_cycles=None, max_error=None, max_latency=1)
    with pytest.raises(Infeasible, match=r"needs at least .*cycles of latency, limit 1") as caught:
        milp.solve(problem, Objective.ERROR)
    (short,) = (shortage for shortage in caught.value.shortfalls if shortage.name == "latency")
    assert short.needed == min(e.latency for _, e in exhaustive.selections(problem))


def test_what_is_short_may_not_be_found_in_time() -> None:
    refused = next(
        problem
        for problem in map(random_problem, range(200))
        if isinstance(oracle(problem, Objective.LATENCY), Infeasible)
    )
    with pytest.raises(SolverError, match="the search ended before it found by how little"):
        milp.infeasible(refused, time_limit=0.0)


def test_the_least_latency_may_not_be_found_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = dataclasses.replace(random_problem(3), max_cycles=None, max_error=None, max_latency=1)

    def hasty(narrow: Problem, goal: Objective | None, seconds: float | None = None) -> search.BoundedSearch:
        return search.BoundedSearch(narrow, goal, seconds=0.0 if goal is Objective.LATENCY else seconds)

    monkeypatch.setattr(milp, "BoundedSearch", hasty)
    with pytest.raises(SolverError, match="the search ended before it found the least latency"):
        milp.infeasible(problem)


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("objective", list(Objective))
def test_equals_the_dynamic_program(seed: int, objective: Objective) -> None:
    problem = random_chain(seed, 30)
    expected = optimum(problem, objective)
    if expected is None:
        with pytest.raises(Infeasible):
            milp.solve(problem, objective)
        return
    found = milp.solve(problem, objective)
    assert (found.evaluation.objective(objective), found.evaluation.objective(TIE_BREAK[objective])) == expected
    assert found.report.status == "optimal"
