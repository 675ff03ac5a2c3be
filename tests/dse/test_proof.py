"""A proof as a file: what is shown by it, and what a changed one is refused for."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.inputs.problems import random_problem, with_knees
from dse.milp import SolverReport, solve
from dse.problem import Infeasible, Objective
from dse.proof import ProofError, save, verify


def proven(path: Path, seed: int, objective: Objective, gap: float = 0.0) -> SolverReport | None:
    problem = with_knees(random_problem(seed), seed)
    try:
        found = solve(problem, objective, gap=gap)
    except Infeasible:
        return None
    choice = [op.candidates.index(found.selection[op.name]) for op in problem.ops]
    save(path, problem, choice, objective, found.report)
    return found.report


@pytest.mark.parametrize("objective", list(Objective))
@pytest.mark.parametrize("seed", range(12))
def test_what_is_written_is_shown(seed: int, objective: Objective, tmp_path: Path) -> None:
    report = proven(tmp_path / "proof", seed, objective, 0.1 * (seed % 2))
    if report is not None:
        assert verify(tmp_path / "proof") == report


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    entry = json.loads(gzip.decompress(path.read_bytes()))
    change(entry)
    path.write_bytes(gzip.compress(json.dumps(entry).encode()))


def less_said(entry: dict[str, Any]) -> None:
    entry["solver"]["objective"] -= 1
    entry["solver"]["bound"] -= 1


@pytest.mark.parametrize(
    "change, why",
    [
        (less_said, "field 'objective': .* is said, the choice has"),
        (lambda entry: entry["problem"].update(max_latency=1), "field 'choice': breaks a limit by"),
        (lambda entry: entry["solver"].update(certificate=None), "field 'bound': .* is said, 0.0 is shown"),
        (lambda entry: entry["solver"]["certificate"].update(goal="error"), "it is of error, not of latency"),
        (lambda entry: entry["solver"]["certificate"].update(value="1"), "is said, 1.0 is shown"),
        (lambda entry: entry.update(choice=[0]), "missing or bad field"),
        (lambda entry: entry.update(version=9), "field 'version': 9; this netweave reads version 3"),
        (lambda entry: entry["problem"]["ops"][0]["candidates"].clear(), "missing or bad field"),
    ],
)
def test_a_changed_proof_is_refused(change: Callable[[dict[str, Any]], None], why: str, tmp_path: Path) -> None:
    path = tmp_path / "proof"
    report = next(own for seed in range(20) if (own := proven(path, seed, Objective.LATENCY)) is not None)
    assert report.status == "optimal"
    changed(path, change)
    with pytest.raises(ProofError, match=why):
        verify(path)


def test_a_file_that_is_no_proof_is_named(tmp_path: Path) -> None:
    (tmp_path / "proof").write_text("{}")
    with pytest.raises(ProofError, match="proof: missing or bad field"):
        verify(tmp_path / "proof")


def test_a_gap_that_is_larger_than_said_is_refused(tmp_path: Path) -> None:
    """Also of a choice that is not said to be the best."""
    problem, path = random_problem(3), tmp_path / "proof"
    found = solve(problem, Objective.LATENCY)
    choice = [op.candidates.index(found.selection[op.name]) for op in problem.ops]
    save(path, problem, choice, Objective.LATENCY, found.report)
    assert verify(path).status == "optimal"
    entry = json.loads(gzip.decompress(path.read_bytes()))
    entry["solver"].update(status="time limit", certificate=None, bound=0.0, gap=0.5)
    path.write_bytes(gzip.compress(json.dumps(entry).encode()))
    with pytest.raises(ProofError, match=r"'time limit', gap 0\.5 is said, 1\.0 is shown"):
        verify(path)
