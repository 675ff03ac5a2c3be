"""What the integer program says a choice takes, beside ``evaluate``."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import highspy
import pytest

from benchmarks.inputs.problems import random_problem, with_knees
from dse.evaluate import evaluate
from dse.exhaustive import selections
from dse.problem import MilpOp, Objective, Problem, Selection
from dse.program import Program


def only(problem: Problem, selection: Selection) -> Problem:
    return replace(problem, ops=tuple(replace(op, candidates=(selection[op.name],)) for op in problem.ops))


def whole(rng: random.Random, op: MilpOp) -> MilpOp:
    """With input fractions and knees at which nothing is rounded."""
    return replace(op, input_fraction=Fraction(rng.randint(0, 1)), knee=Fraction(rng.randint(0, 1)))


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
        relaxed = program.relax(program.weighted_sum(weights))
        assert relaxed is not None
        assert relaxed.value == pytest.approx(sum(weights[name] * amounts[name] for name in amounts), abs=1e-6)


def test_what_is_not_limited_has_no_weight() -> None:
    problem = replace(random_problem(0), max_error=None, max_cycles=None, max_latency=None)
    program = Program(problem)
    relaxed = program.relax(program.violation())
    assert relaxed is not None
    assert relaxed.duals.rows.keys() == {*problem.budget, "error"}
    assert (relaxed.duals.rows["error"], relaxed.duals.finish) == (0, 0)


def test_a_written_program_has_the_best_choice_as_its_optimum_and_names_it(tmp_path: Path) -> None:
    """The file alone, read by HiGHS, against every choice there is."""
    compared = [check_written(seed, tmp_path) for seed in range(12)]
    assert sum(compared) > 3


def check_written(seed: int, tmp_path: Path) -> bool:
    """Whether there is a choice."""
    problem = random_problem(seed)
    values = [cost.utilisation for _, cost in selections(problem) if cost.feasible]
    if not values:
        return False
    least = min(values)
    program = Program(problem)
    program.write(tmp_path / "lp" / "best.lp", program.constrained(Objective.UTILISATION))
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    assert highs.readModel(str(tmp_path / "lp" / "best.lp")) == highspy.HighsStatus.kOk
    highs.run()
    assert highs.getInfo().objective_function_value == pytest.approx(float(least))
    found = dict(zip(highs.getLp().col_names_, highs.getSolution().col_value, strict=True))
    taken = {op.name: [n for n in range(len(op.candidates)) if found[f"x_{op.name}_{n}"] > 0.5] for op in problem.ops}
    chosen = {op.name: op.candidates[taken[op.name][0]] for op in problem.ops}
    assert all(len(numbers) == 1 for numbers in taken.values())
    assert evaluate(problem, chosen).utilisation == least
    return True


def test_a_written_program_says_what_each_candidate_is(tmp_path: Path) -> None:
    problem = random_problem(0)
    program = Program(problem)
    program.write(tmp_path / "a.lp", program.constrained(Objective.LATENCY))
    lines = (tmp_path / "a.lp").read_text().splitlines()
    comments = [line for line in lines if line.startswith("\\ x_")]
    assert len(comments) == sum(len(op.candidates) for op in problem.ops)
    first = problem.ops[0].candidates[0]
    assert f"writes {first.writes.lanes} {first.writes.format} a cycle; {first.cycles} cycles a frame" in comments[0]
    for name in ("one_", "fill_", "arrived_", "duration_"):
        assert any(line.startswith(name) for line in lines), name
    assert any(f" start_{problem.ops[0].name} " in line for line in lines)
