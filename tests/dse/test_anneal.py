"""Annealing beside every choice: it keeps the limits, is no later than where it began, and mostly finds the best."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.inputs.problems import random_problem, wide_problem
from dse import exhaustive
from dse.anneal import HOT, MILD, anneal
from dse.evaluate import Evaluation, evaluate
from dse.milp import solve
from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Objective, Problem, Selection


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
        found, _ = anneal(problem, start[0], MILD, seed)
        costs = evaluate(problem, found)
        least = min(own.latency for _, own in exhaustive.selections(problem) if own.feasible)
        assert costs.feasible
        assert least <= costs.latency <= start[1].latency
        assert anneal(problem, start[0], MILD, seed)[0] == found
        tried, best = tried + 1, best + (costs.latency == least)
    assert tried >= 30
    assert best >= 0.9 * tried


def test_from_a_start_that_exceeds_limits_it_mostly_finds_a_choice_that_keeps_them() -> None:
    tried = kept = 0
    for seed in range(160):
        problem = replace(random_problem(seed), max_cycles=None)
        every = list(exhaustive.selections(problem))
        start = max(every, key=lambda own: own[1].violation, default=None)
        if start is None or start[1].feasible:
            continue
        problem = of_the_same_interfaces(problem, start[0])
        if not any(own.feasible for _, own in exhaustive.selections(problem)):
            continue
        found, _ = anneal(problem, start[0], HOT, seed)
        tried, kept = tried + 1, kept + evaluate(problem, found).feasible
    assert tried >= 10
    assert kept >= 0.9 * tried


@pytest.mark.parametrize("seed", range(10))
def test_a_start_that_is_no_candidate_of_the_problem_may_stay(seed: int) -> None:
    problem = replace(wide_problem(seed), max_cycles=None)
    start = solve(problem, Objective.UTILISATION, gap=0.1).selection
    others = (tuple(own for own in op.candidates if own is not start[op.name]) or op.candidates for op in problem.ops)
    rest = replace(problem, ops=tuple(replace(op, candidates=own) for op, own in zip(problem.ops, others, strict=True)))
    found, _ = anneal(rest, start, MILD, seed)
    assert evaluate(problem, found).feasible
    assert evaluate(problem, found).latency <= evaluate(problem, start).latency


def test_it_leaves_a_choice_that_every_single_move_makes_worse() -> None:
    """Only one of two ops may be the fast one; the better of them is reached over both slow ones."""
    end = Interface(1, "int8")

    def op(name: str, slower: int, *reads: Interface) -> MilpOp:
        slow = Candidate("slow", 1, (0,), end, reads, duration=5000 + slower, drain=5000 + slower)
        return MilpOp(name, (slow, Candidate("fast", 1, (1,), end, reads, duration=5000, drain=5000)))

    ops = op("a", 2), op("b", 8, end)
    problem = Problem("device", ops, (MilpEdge("a", "b", 0, {(end, end): Link((0,))}),), "b", {"lut": 1})
    found, _ = anneal(problem, {"a": ops[0].candidates[1], "b": ops[1].candidates[0]}, MILD, 0)
    assert [own.choice for own in found.values()] == ["slow", "fast"]


def test_it_takes_a_single_cycle_less_behind_an_op_that_takes_no_time() -> None:
    end = Interface(1, "int8")
    late, early = Candidate("late", 1, (), end, (end,), fill=11), Candidate("early", 1, (), end, (end,), drain=10)
    ops = MilpOp("a", (Candidate("a", 0, (), end),)), MilpOp("b", (late, early))
    problem = Problem("device", ops, (MilpEdge("a", "b", 0, {(end, end): Link(())}),), "b", {})
    start = {"a": ops[0].candidates[0], "b": late}
    assert [evaluate(problem, {**start, "b": own}).latency for own in (late, early)] == [11, 10]
    assert anneal(problem, start, MILD, 0)[0]["b"] is early
