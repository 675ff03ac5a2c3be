"""What the integer program says a choice takes, beside ``evaluate``."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest

from benchmarks.inputs.problems import random_problem, with_knees
from dse.exhaustive import selections
from dse.problem import Op, Problem, Selection, evaluate
from dse.program import Program


def only(problem: Problem, selection: Selection) -> Problem:
    return replace(problem, ops=tuple(replace(op, candidates=(selection[op.name],)) for op in problem.ops))


def whole(rng: random.Random, op: Op) -> Op:
    """With leads and knees at which nothing is rounded."""
    return replace(op, lead=Fraction(rng.randint(0, 1)), knee=Fraction(rng.randint(0, 1)))


def test_the_program_of_one_choice_takes_what_the_choice_takes() -> None:
    for seed in range(12):
        check(seed)


def check(seed: int) -> None:
    rng = random.Random(seed)
    problem = with_knees(random_problem(seed), seed)
    problem = replace(problem, ops=tuple(whole(rng, op) for op in problem.ops))
    every = [own for own, _ in selections(problem)]
    for selection in rng.sample(every, min(3, len(every))):
        amounts = evaluate(problem, selection).amounts
        weights = {name: float(rng.randint(0, 9)) for name in amounts}
        for name, amount in amounts.items():
            program = Program(only(problem, selection))
            relaxed = program.relax(program.amount(name))
            assert relaxed is not None
            assert relaxed.value == pytest.approx(amount, abs=1e-6)
        program = Program(only(problem, selection))
        relaxed = program.relax(program.weighed(weights))
        assert relaxed is not None
        assert relaxed.value == pytest.approx(sum(weights[name] * amounts[name] for name in amounts), abs=1e-6)


def test_what_is_not_limited_has_no_weight() -> None:
    problem = replace(random_problem(0), max_error=None, max_cycles=None, max_latency=None)
    program = Program(problem)
    relaxed = program.relax(program.overrun())
    assert relaxed is not None
    assert relaxed.duals.rows.keys() == {*problem.budget, "error"}
    assert (relaxed.duals.rows["error"], relaxed.duals.finish) == (0, 0)
