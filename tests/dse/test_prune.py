"""Pruning: the optimum and the shortages stay, and dominated or slow candidates go."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks.inputs.problems import random_problem
from dse import exhaustive
from dse.evaluate import Evaluation
from dse.problem import Infeasible, Objective
from dse.prune import fast_enough, prune
from tests.dse.oracle import check_refusal, oracle


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


@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_fast_enough_leaves_the_selections_within_the_limit(seed: int) -> None:
    """Every selection is compared, at each number of cycles that a candidate has, and below all of them."""
    problem = dataclasses.replace(random_problem(seed), max_cycles=7)
    every = [evaluation for _, evaluation in exhaustive.selections(problem)]
    steps = {own.cycles for op in problem.ops for own in op.candidates}
    for cycles in (min(steps) - 1, *steps):
        fast = fast_enough(problem, cycles)
        possible = all(min(own.cycles for own in op.candidates) <= cycles for op in problem.ops)
        assert (fast is not None) == possible
        if fast is not None:
            assert fast.max_cycles is None
            left = [evaluation.amounts for _, evaluation in exhaustive.selections(fast)]
            assert left == [own.amounts for own in every if own.bottleneck <= cycles]
