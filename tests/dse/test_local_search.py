"""Polishing never loses, keeps the limits, and finds an exchange that no single change is."""

from __future__ import annotations

import random

import pytest

from benchmarks.inputs.problems import random_problem
from dse import exhaustive
from dse.evaluate import evaluate
from dse.local_search import _together, local_search
from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Problem, Selection
from dse.prune import prune

LANE = Interface(1, "int8")


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("seed", range(60))
def test_a_polished_choice_is_feasible_and_no_worse(seed: int, pruned: bool) -> None:
    """Also from a choice whose candidates pruning leaves out, as others are no worse."""
    problem = random_problem(seed)
    feasible = [selection for selection, evaluation in exhaustive.selections(problem) if evaluation.feasible]
    if not feasible:
        return
    start = random.Random(seed).choice(feasible)
    asked: list[Selection] = []

    def evaluator(selection: Selection) -> float:
        asked.append(selection)
        # other than the program's figure, as a simulation is
        return float(evaluate(problem, selection).latency) + 7 * sum(own.drain % 3 for own in selection.values())

    best, value = local_search(prune(problem) if pruned else problem, start, evaluator, 50)
    assert len(asked) <= 50
    assert value == evaluator(best) <= evaluator(start)
    assert evaluate(problem, best).feasible


def exchange(limit: int) -> Problem:
    """Two ops, of which the first should give the second the memory it has: a total of cycles is judged."""

    def op(name: str, cycles: dict[int, int], reads: int) -> MilpOp:
        return MilpOp(
            name, tuple(Candidate((name, c), c, (r,), LANE, (LANE,) * reads, duration=c) for c, r in cycles.items())
        )

    ops = op("a", {10: 4, 12: 1}, 0), op("b", {20: 5, 40: 2}, 1)
    return Problem("board", ops, (MilpEdge("a", "b", 0, {(LANE, LANE): Link((0,))}),), "b", {"bram": limit})


def total(selection: Selection) -> float:
    return float(sum(own.cycles for own in selection.values()))


def test_what_one_op_gives_another_takes() -> None:
    problem = exchange(6)
    start = {"a": problem.ops[0].candidates[0], "b": problem.ops[1].candidates[1]}
    best, value = local_search(problem, start, total, 20)
    assert ([own.cycles for own in best.values()], value) == ([12, 20], 32.0)
    assert local_search(exchange(5), {**start, "a": problem.ops[0].candidates[1]}, total, 20)[1] == 52.0
    assert local_search(exchange(9), start, total, 20)[1] == 30.0


def test_nothing_is_tried_without_tries() -> None:
    problem = exchange(6)
    start = {"a": problem.ops[0].candidates[0], "b": problem.ops[1].candidates[1]}
    assert local_search(problem, start, total, 1) == (start, 50.0)


def test_no_more_is_tried_than_may_be() -> None:
    problem = exchange(9)
    start = {"a": problem.ops[0].candidates[1], "b": problem.ops[1].candidates[1]}
    for max_evaluations in range(1, 7):
        asked: list[Selection] = []

        def evaluator(selection: Selection, asked: list[Selection] = asked) -> float:
            asked.append(selection)
            return total(selection)

        local_search(problem, start, evaluator, max_evaluations)
        assert len(asked) <= max_evaluations


def test_two_other_cycle_counts_are_tried_on_either_side() -> None:
    op = MilpOp("a", tuple(Candidate(c, c, (0,), LANE, duration=c) for c in range(10, 17)))
    problem = Problem("board", (op,), (), "a", {"bram": 0})
    asked: list[int] = []

    def evaluator(selection: Selection) -> float:
        asked.append(selection["a"].cycles)
        return abs(selection["a"].cycles - 13)

    assert local_search(problem, {"a": op.candidates[3]}, evaluator, 50)[1] == 0.0
    assert sorted(asked) == [11, 12, 13, 14, 15]


def test_no_more_changes_are_made_than_may_be() -> None:
    def op(name: str, reads: int) -> MilpOp:
        own = tuple(Candidate((name, c), c, (1,), LANE, (LANE,) * reads, duration=c) for c in (10, 5))
        return MilpOp(name, own)

    ops = op("a", 0), op("b", 1)
    problem = Problem("board", ops, (MilpEdge("a", "b", 0, {(LANE, LANE): Link((0,))}),), "b", {"lut": 9})
    start = {own.name: own.candidates[0] for own in ops}
    gains = {own.name: [(candidate, float(candidate.cycles)) for candidate in own.candidates] for own in ops}
    for most in (1, 2):
        found = _together(problem, start, gains, most)
        assert sum(found[name] is not start[name] for name in found) == most
