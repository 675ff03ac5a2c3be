"""Certificates: true ones are confirmed, and changed ones refused."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from benchmarks.inputs.problems import random_problem, wide_problem
from dse import milp
from dse.certificate import Certificate, CertificateError, check
from dse.problem import Objective
from tests.dse.oracle import solved
from tests.dse.ways import as_if_folded, as_if_hard, as_if_large


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
