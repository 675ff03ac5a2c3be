"""Narrowing steps where states do not distinguish all interfaces, and splits of a problem in two."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from benchmarks.inputs.problems import random_problem
from dse.exhaustive import selections
from dse.labels.layers import Counter
from dse.labels.network import Network
from dse.labels.steps import Split, StepResult, figures, is_timed, take_step
from dse.labels.weights import Weights
from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Objective, Problem

ONE, TWO = Interface(1, "int8"), Interface(2, "int8")


def shortcut(joined: bool) -> Problem:
    """``a``, then ``b``, then ``c`` of both; ``a`` writes one or two lanes. Where not ``joined``, ``b`` reads one of
    ``a``, and ``c`` two."""
    a = MilpOp("a", (Candidate(0, 4, (1,), ONE, duration=4), Candidate(1, 2, (2,), TWO, duration=2)))
    b = MilpOp("b", (Candidate(0, 4, (1,), ONE, (ONE,), duration=4),))
    c = MilpOp("c", (Candidate(0, 4, (1,), ONE, (ONE, ONE if joined else TWO), duration=4),))
    same = {(ONE, ONE): Link((0,)), (TWO, TWO): Link((0,)), (TWO, ONE): Link((3,), 1)}
    read = same if joined else {(ONE, ONE): Link((0,))}
    edges = (MilpEdge("a", "b", 0, read), MilpEdge("b", "c", 0, same), MilpEdge("a", "c", 1, same))
    return Problem("device", (a, b, c), edges, "c", {"lut": 20})


def step_of(problem: Problem, rows: int, *, folded: bool) -> StepResult:
    """A step with a weight on the first row alone."""
    network = Network(problem, timed=True, whole=False, folded=folded)
    weights = Weights.plain(network, np.array([1, *[0] * (rows - 1)]))
    return take_step(network, weights, Objective.LATENCY, Fraction(100), False, Counter())


def test_shortcuts_that_are_not_told_apart_leave_all_choices() -> None:
    step = step_of(shortcut(joined=True), 2, folded=True)
    apart = step_of(shortcut(joined=True), 2, folded=False)
    assert sum(stage.states for stage in step.network.stages) < sum(stage.states for stage in apart.network.stages)
    choices = step.rowwise(None).choices
    assert choices == [[0, 0, 0]]
    assert choices == apart.rowwise(None).choices


def test_what_joins_only_where_shortcuts_are_not_told_apart_is_no_choice() -> None:
    step = step_of(shortcut(joined=False), 2, folded=True)
    assert not step.empty
    choices = step.rowwise(None)
    assert choices.complete
    assert not choices.choices


@pytest.mark.parametrize("below", [False, True])
def test_a_step_leaves_every_candidate_of_a_selection_within_the_value(below: bool) -> None:
    """Against all selections, at the least latency and at the median one."""
    for seed in range(0, 30, 2):
        problem = random_problem(seed)
        costs = [(own, cost.latency) for own, cost in selections(problem) if cost.feasible]
        for value in {sorted(latency for _, latency in costs)[at] for at in (0, len(costs) // 2) if costs}:
            network = Network(problem, timed=True, whole=True)
            plain = Weights.plain(network, np.ones(len(network.row_names), np.int64))
            step = take_step(network, plain, Objective.LATENCY, Fraction(value), below, Counter())
            within = [own for own, latency in costs if latency < value or (latency == value and not below)]
            assert not (within and step.empty)
            if not step.empty:
                left = {op.name: list(map(id, op.candidates)) for op in step.remaining().ops}
                assert all(id(candidate) in left[name] for own in within for name, candidate in own.items())


def test_a_step_with_other_weights_than_the_one_before_is_refused() -> None:
    network = Network(shortcut(joined=True), timed=True, whole=False)
    one, two = (Weights.plain(network, np.array([weight, 0])) for weight in (1, 2))
    before = take_step(network, one, Objective.LATENCY, Fraction(100), False, Counter())
    with pytest.raises(ValueError, match="the step before has other weights or other times"):
        take_step(network, two, Objective.LATENCY, Fraction(100), False, Counter(), before)
    assert not take_step(network, one, Objective.LATENCY, Fraction(99), False, Counter(), before).empty


def test_labels_carry_times_where_latency_is_minimised_or_limited() -> None:
    problem = shortcut(joined=True)
    assert [goal for goal in (*Objective, None) if is_timed(problem, goal)] == [Objective.LATENCY]
    limited = problem.with_limit(Objective.LATENCY, Fraction(50))
    assert all(is_timed(limited, goal) for goal in (*Objective, None))


def wide_op() -> Problem:
    own = [
        Candidate(at, cycles, (lut,), Interface(lanes, "int8"), duration=cycles - 1, drain=at, error=9 - at)
        for at, (cycles, lut, lanes) in enumerate(((40, 1, 1), (20, 3, 2), (10, 9, 4)))
    ]
    return Problem("board", (MilpOp("a", tuple(own)), MilpOp("b", (own[0],))), (), "a", {"lut": 10})


@pytest.mark.parametrize(
    ("figure", "amounts"),
    [
        ("lut", [1, 3, 9]), ("lanes", [1, 2, 4]), ("cycles", [40, 20, 10]), ("duration", [39, 19, 9]),
        ("drain", [0, 1, 2]), ("error", [9, 8, 7]),
    ],
)  # fmt: skip
def test_a_split_divides_the_candidates_of_one_op(figure: str, amounts: list[int]) -> None:
    problem = wide_op()
    assert figures(problem, problem.ops[0], figure).tolist() == amounts
    parts = Split("a", figure, amounts[1]).parts(problem)
    for part, low in zip(parts, (True, False), strict=True):
        expected = [at for at, amount in enumerate(amounts) if (amount <= amounts[1]) == low]
        assert [own.choice for own in part.ops[0].candidates] == expected
        assert part.ops[1] == problem.ops[1]


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (Split("c", "lut", 3), "there is no op 'c'"),
        (Split("a", "dsp", 3), "there is no figure 'dsp'"),
        (Split("a", "lut", 9), "no candidate of op 'a' is on one side of 9 lut"),
        (Split("a", "lut", 0), "no candidate of op 'a' is on one side of 0 lut"),
    ],
)
def test_a_split_that_is_none_is_refused(split: Split, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        split.parts(wide_op())
