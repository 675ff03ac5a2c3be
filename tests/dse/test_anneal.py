"""Annealing beside every choice: it keeps the limits, is no later than where it began, and mostly finds the best."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.inputs.problems import random_problem, wide_problem
from dse import exhaustive
from dse.anneal import HOT, MILD, annealed
from dse.milp import solve
from dse.problem import Evaluation, Objective, Problem, Selection, evaluate


def of_the_same_interfaces(problem: Problem, choice: Selection) -> Problem:
    ops = []
    for op in problem.ops:
        ends = choice[op.name].writes, choice[op.name].reads
        ops.append(replace(op, candidates=tuple(own for own in op.candidates if (own.writes, own.reads) == ends)))
    return replace(problem, ops=tuple(ops))


def latest(problem: Problem) -> tuple[Selection, Evaluation] | None:
    kept = (own for own in exhaustive.selections(problem) if own[1].feasible)
    return max(kept, key=lambda own: own[1].latency, default=None)


def test_what_it_finds_keeps_the_limits_and_is_mostly_the_best() -> None:
    tried = best = 0
    for seed in range(80):
        # candidates that are too slow for a limit on cycles are left out before
        problem = replace(random_problem(seed), max_cycles=None)
        start = latest(problem)
        if start is None:
            continue
        # to change formats takes several ops at once
        problem = of_the_same_interfaces(problem, start[0])
        found, _ = annealed(problem, start[0], MILD, seed)
        costs = evaluate(problem, found)
        least = min(own.latency for _, own in exhaustive.selections(problem) if own.feasible)
        assert costs.feasible
        assert least <= costs.latency <= start[1].latency
        assert annealed(problem, start[0], MILD, seed)[0] == found
        tried, best = tried + 1, best + (costs.latency == least)
    assert tried >= 30
    assert best >= 0.9 * tried


def test_from_a_start_that_exceeds_limits_it_mostly_finds_a_choice_that_keeps_them() -> None:
    tried = kept = 0
    for seed in range(160):
        problem = replace(random_problem(seed), max_cycles=None)
        every = list(exhaustive.selections(problem))
        start = max(every, key=lambda own: own[1].overrun, default=None)
        if start is None or start[1].feasible:
            continue
        problem = of_the_same_interfaces(problem, start[0])
        if not any(own.feasible for _, own in exhaustive.selections(problem)):
            continue
        found, _ = annealed(problem, start[0], HOT, seed)
        tried, kept = tried + 1, kept + evaluate(problem, found).feasible
    assert tried >= 10
    assert kept >= 0.9 * tried


@pytest.mark.parametrize("seed", range(10))
def test_a_start_that_is_no_candidate_of_the_problem_may_stay(seed: int) -> None:
    problem = replace(wide_problem(seed), max_cycles=None)
    start = solve(problem, Objective.UTILISATION, gap=0.1).selection
    others = (tuple(own for own in op.candidates if own is not start[op.name]) or op.candidates for op in problem.ops)
    rest = replace(problem, ops=tuple(replace(op, candidates=own) for op, own in zip(problem.ops, others, strict=True)))
    found, _ = annealed(rest, start, MILD, seed)
    assert evaluate(problem, found).feasible
    assert evaluate(problem, found).latency <= evaluate(problem, start).latency
