"""The integer program against the oracle that tries every choice."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

from benchmarks.inputs.problems import random_problem, wide_problem, with_knees
from dse import exhaustive, milp, search
from dse.certificate import Certificate, CertificateError, check
from dse.evaluate import Evaluation, evaluate, overrun, utilisation
from dse.milp import SolverError, SolverReport
from dse.problem import TIE_BREAK, Infeasible, Objective, Problem, Shortage
from dse.prune import prune
from tests.dse.ways import as_if_folded, as_if_hard, as_if_large


def oracle(problem: Problem, objective: Objective) -> Evaluation | Infeasible:
    try:
        return exhaustive.solve(problem, objective)[1]
    except Infeasible as refusal:
        return refusal


def check_refusal(problem: Problem, found: Infeasible, expected: Infeasible) -> None:
    assert (found.alone, found.overrun) == (expected.alone, expected.overrun)
    if expected.alone or not expected.shortages:
        assert found.shortages == expected.shortages
        return
    # several choices may share the smallest overrun; the one that is reported must show it
    needed = {shortage.name: shortage.needed for shortage in found.shortages}
    limits = {shortage.name: shortage.limit for shortage in found.shortages}
    assert overrun(needed, limits) == expected.overrun
    assert limits.items() <= problem.limits.items()


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
    assert sum(bool(refusal.shortages) and not refusal.alone for refusal in refusals) >= 1
    assert sum(not refusal.shortages for refusal in refusals) >= 1


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


def raised(tree: dict[str, Any], value: str) -> dict[str, Any]:
    """A tree whose every step looks for choices with less than a value."""
    steps = [{**step, "value": value} for step in tree["steps"]]
    return {**tree, "steps": steps, "parts": [raised(part, value) for part in tree["parts"]]}


@pytest.mark.few(24)
@pytest.mark.parametrize("seed", range(0, 60, 2))
@pytest.mark.parametrize("case", [lambda monkeypatch: None, as_if_large, as_if_folded, as_if_hard])
def test_a_certificate_is_checked_and_a_false_one_refused(
    seed: int, case: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    case(monkeypatch)
    problem = random_problem(seed)
    for objective, best, solution in solved(problem, case, 0.05):
        entry = solution.report.certificate
        if entry is None:
            continue
        check(problem, Certificate.read(entry))
        # the best choice itself has less than this
        whole = objective is not Objective.UTILISATION
        above = str(best.objective(objective) + (1 if whole else Fraction(1, 1000)))
        with pytest.raises(CertificateError, match=r"labels reach the output|no candidate of op"):
            check(problem, Certificate.read({**entry, "value": above, "tree": raised(entry["tree"], above)}))
        if entry["tree"]["steps"]:
            with pytest.raises(CertificateError, match=r"a step looks for less than|labels reach the output"):
                check(problem, Certificate.read({**entry, "value": above}))


@pytest.mark.parametrize("seed", [29, 43, 61, 99])
def test_a_step_is_held_only_to_one_before_it_that_looked_for_no_less(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_if_large(monkeypatch)
    problem = random_problem(seed)
    entry = milp.solve(problem, Objective.LATENCY, then=(), gap=0.05).report.certificate
    assert entry is not None
    check(problem, Certificate.read(entry))
    steps = entry["tree"]["steps"]
    at = [step["tabled"] for step in steps].index(True)
    more = {**steps[at], "value": str(Fraction(steps[at - 1]["value"]) + 1)}
    none = [{**steps[0], "tabled": True}, *steps[1:]]
    less = [*steps[:at], more, *steps[at + 1 :]]
    for false, why in ((none, "the one before it, and there is none"), (less, "the one before for less")):
        with pytest.raises(CertificateError, match=why):
            check(problem, Certificate.read({**entry, "tree": {**entry["tree"], "steps": false}}))


@pytest.mark.parametrize(
    "seed, objective",
    [(6, Objective.UTILISATION), (15, Objective.ERROR), (22, Objective.ERROR), (39, Objective.LATENCY)],
)
def test_a_certificate_splits_what_labels_do_not_settle(
    seed: int, objective: Objective, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_if_hard(monkeypatch)
    problem = wide_problem(seed)
    solution = milp.solve(problem, objective, then=())
    entry = solution.report.certificate
    assert solution.report.status == "optimal"
    assert entry is not None
    assert entry["tree"]["split"] is not None
    check(problem, Certificate.read(entry))
    above = str(Fraction(entry["value"]) * Fraction(101, 100) + 1)
    with pytest.raises(CertificateError, match=r"labels reach the output|no candidate of op"):
        check(problem, Certificate.read({**entry, "value": above, "tree": raised(entry["tree"], above)}))


def test_a_certificate_that_makes_no_sense_is_refused() -> None:
    problem = random_problem(3)
    entry = milp.solve(problem, Objective.LATENCY).report.certificate
    assert entry is not None
    tree, weights = entry["tree"], entry["tree"]["steps"][0]["weights"]

    def stepped(**changed: Any) -> dict[str, Any]:
        first, *others = tree["steps"]
        return {"tree": {**tree, "steps": [{**first, **changed}, *others]}}

    for changed, why in (
        (stepped(weights={**weights, "rows": [-1] * 4}), "must not be negative"),
        (stepped(weights={**weights, "rows": [1 << 62] * 4}), "are too large"),
        (stepped(weights={}), r"'rows'|'durations'"),
        (stepped(room=0), "a step's room is 0, must be at least 1"),
        ({"goal": "speed"}, "'speed' is not a valid Objective"),
        ({"value": "least"}, "Invalid literal for Fraction"),
        ({"tree": {**tree, "steps": []}}, "labels reach the output"),
        ({"tree": {**tree, "parts": [tree]}}, "field 'parts': 1 of them where a split has 2"),
        ({"tree": {"steps": []}}, "missing or bad field: 'split'"),
        (
            {"tree": {**tree, "steps": [], "rows": False, "split": {"op": "op9", "figure": "dsp", "most": 1},
                      "parts": [tree, tree]}},
            "there is no op 'op9'",
        ),
    ):  # fmt: skip
        with pytest.raises(CertificateError, match=why):
            check(problem, Certificate.read({**entry, **changed}))


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


@pytest.mark.parametrize("seed", range(0, 100, 4))
def test_pruning_keeps_the_best_and_the_shortage(seed: int) -> None:
    problem = random_problem(seed)
    small = prune(problem)
    assert all(set(a.candidates) <= set(b.candidates) for a, b in zip(small.ops, problem.ops, strict=True))
    for objective in Objective:
        before, after = oracle(problem, objective), oracle(small, objective)
        if isinstance(before, Infeasible):
            assert isinstance(after, Infeasible)
            check_refusal(small, after, before)
        else:
            assert isinstance(after, Evaluation)
            assert after.objective(objective) == before.objective(objective)


def test_pruning_leaves_out_what_is_beaten() -> None:
    problem = random_problem(3)
    op = problem.ops[0]
    worse = tuple(dataclasses.replace(c, choice=("worse", i), cycles=c.cycles + 1) for i, c in enumerate(op.candidates))
    padded = dataclasses.replace(
        problem, ops=(dataclasses.replace(op, candidates=worse + op.candidates), *problem.ops[1:])
    )
    assert prune(padded) == prune(problem)


def test_the_same_problem_gives_the_same_choice() -> None:
    problem = next(p for p in map(random_problem, range(100)) if isinstance(oracle(p, Objective.LATENCY), Evaluation))
    first, second = (milp.solve(problem, Objective.LATENCY) for _ in range(2))
    assert first.selection == second.selection


def test_the_message_names_what_is_short() -> None:
    problem = dataclasses.replace(random_problem(3), budget={"lut": 0, "bram": 0, "dsp": 0})
    with pytest.raises(Infeasible, match=re.escape("infeasible on tiny: needs at least ")) as caught:
        milp.solve(problem, Objective.LATENCY)
    assert f"{caught.value.shortages[0].needed} LUT, has 0" in str(caught.value)
    assert str(Shortage("cycles", 9, 5)) == "9 cycles a frame, limit 5"
    assert str(Shortage("latency", 10, 5)) == "10 cycles of latency, limit 5"


def test_a_latency_out_of_reach_is_named() -> None:
    problem = dataclasses.replace(random_problem(3), max_cycles=None, max_error=None, max_latency=1)
    with pytest.raises(Infeasible, match=r"needs at least .*cycles of latency, limit 1") as caught:
        milp.solve(problem, Objective.ERROR)
    (short,) = (shortage for shortage in caught.value.shortages if shortage.name == "latency")
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
