"""Effort levels: each allows more than the one before, the last has no limit and alone is enough for the optimum."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from benchmarks.inputs.problems import random_problem
from dse import effort
from dse.evaluate import Evaluation
from dse.milp import solve
from dse.problem import Objective
from tests.dse.oracle import oracle


def test_each_level_allows_more_labels_and_no_fewer_splits() -> None:
    limits = [[math.inf if own is None else own for own in level[:2]] for level in effort.EFFORTS]
    assert all(low[0] < high[0] and low[1] <= high[1] for low, high in pairwise(limits))
    assert effort.EFFORTS[-1] == (None, None, 0)
    # the search falls back to HiGHS at some level, and labels alone settle what is left
    assert any(nodes for *_, nodes in effort.EFFORTS)


def test_figures_that_are_ranges_are_in_order() -> None:
    assert 0 < effort.FIRST_STEP <= effort.SHORT_STEP <= effort.WIDEST <= effort.LONG_STEP
    assert effort.QUICK < effort.SLOW < effort.EFFORT
    assert effort.CORE_CANDIDATES <= effort.SOLVER_CANDIDATES
    assert effort.PART_BEAM <= effort.LEAF_BEAM
    assert effort.BOUND_MARGIN < effort.NEAR < effort.FAR <= effort.CLOSE < effort.UNTIMED_CLOSE < effort.NEARLY
    assert 0 < effort.PART_STALLED < 1


def test_the_last_level_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "EFFORTS", effort.EFFORTS[-1:])
    compared = 0
    for seed in range(0, 40, 8):
        problem, objective = random_problem(seed), list(Objective)[seed // 8 % 4]
        best = oracle(problem, objective)
        if isinstance(best, Evaluation):
            found = solve(problem, objective, then=())
            assert found.evaluation.objective(objective) == best.objective(objective)
            assert found.report.status == "optimal"
            compared += 1
    assert compared >= 2
