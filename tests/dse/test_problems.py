"""The wide random problems cover what they say they do, and are the same for the same seed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction

import pytest

from benchmarks.inputs import cpsat
from benchmarks.inputs.problems import INPUT_FRACTIONS, MOST_AMOUNT, MOST_CANDIDATES, MOST_OPS, walk, wide_problem
from dse import exhaustive
from dse.evaluate import Evaluation, evaluate
from dse.problem import Problem


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    return [wide_problem(seed) for seed in range(300)]


def choices(problem: Problem) -> int:
    return math.prod(len(op.candidates) for op in problem.ops)


def amounts(problem: Problem) -> list[int]:
    return [cost for op in problem.ops for candidate in op.candidates for cost in candidate.costs]


def readers(problem: Problem) -> dict[str, list[str]]:
    return {op.name: [edge.consumer for edge in problem.edges if edge.producer == op.name] for op in problem.ops}


def joins(problem: Problem) -> list[tuple[str, str]]:
    """The two producers that an op with two inputs reads."""
    ends = [[edge.producer for edge in edges] for edges in problem.inputs.values()]
    return [(first, second) for first, second in (two for two in ends if len(two) == 2)]


def is_chain(problem: Problem) -> bool:
    return all(len(edges) == 1 for edges in list(problem.inputs.values())[1:]) and all(
        len(following) <= 1 for following in readers(problem).values()
    )


def behind(problem: Problem, name: str) -> set[str]:
    """Ops that a frame passes on its way to ``name``."""
    found, waiting = set(), [name]
    while waiting:
        for edge in problem.inputs[waiting.pop()]:
            if edge.producer not in found:
                found.add(edge.producer)
                waiting.append(edge.producer)
    return found


def has_identity_shortcut(problem: Problem) -> bool:
    return any(first in behind(problem, second) or second in behind(problem, first) for first, second in joins(problem))


def has_ops_on_both_branches(problem: Problem) -> bool:
    return any(
        first != second and first not in behind(problem, second) and second not in behind(problem, first)
        for first, second in joins(problem)
    )


def has_nested_forks(problem: Problem) -> bool:
    """Within what two branches join, another op is read by two and joined."""
    for op in problem.ops:
        ends = [edge.producer for edge in problem.inputs[op.name]]
        if len(set(ends)) == 2:
            within = (behind(problem, ends[0]) | {ends[0]}) ^ (behind(problem, ends[1]) | {ends[1]})
            if any(len({edge.producer for edge in problem.inputs[name]} & within) == 2 for name in within):
                return True
    return False


def reads_a_producer_twice(problem: Problem) -> bool:
    return any(first == second for first, second in joins(problem))


def has_zero_budget(problem: Problem) -> bool:
    return 0 in problem.budget.values()


PROPERTIES: dict[str, tuple[Callable[[Problem], bool], int]] = {
    "a chain": (is_chain, 30),
    "an identity shortcut": (has_identity_shortcut, 60),
    "ops on both branches": (has_ops_on_both_branches, 40),
    "nested forks": (has_nested_forks, 30),
    "a producer read twice": (reads_a_producer_twice, 60),
    "two inputs": (lambda problem: sum(not edges for edges in problem.inputs.values()) > 1, 3),
    "an output before the last op": (lambda problem: problem.output != problem.ops[-1].name, 5),
    "a few choices": (lambda problem: choices(problem) <= 20_000, 90),
    "very many choices": (lambda problem: choices(problem) > 10**12, 40),
    "amounts below 100": (lambda problem: max(amounts(problem)) < 100, 1),
    "amounts above 1e11": (lambda problem: max(amounts(problem)) > 10**11, 30),
    "a budget of zero": (has_zero_budget, 10),
    "no resources": (lambda problem: not problem.budget, 5),
    "a cap on cycles": (lambda problem: problem.max_cycles is not None, 60),
    "a cap on error": (lambda problem: problem.max_error is not None, 60),
    "a cap on latency": (lambda problem: problem.max_latency is not None, 60),
    "a denominator above 100": (lambda problem: any(op.input_fraction.denominator > 100 for op in problem.ops), 100),
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_some_have(name: str, problems: list[Problem]) -> None:
    has, least = PROPERTIES[name]
    assert sum(map(has, problems)) >= least


def test_sizes_and_leads_are_as_said(problems: list[Problem]) -> None:
    assert {len(problem.ops) for problem in problems} >= {2, 3, 4, 5, 6}
    assert max(len(problem.ops) for problem in problems) in range(MOST_OPS - 5, MOST_OPS + 1)
    counts = {len(op.candidates) for problem in problems for op in problem.ops}
    assert counts == set(range(1, MOST_CANDIDATES + 1))
    assert all(amount <= MOST_AMOUNT for problem in problems for amount in amounts(problem))
    input_fractions = {op.input_fraction for problem in problems for op in problem.ops}
    assert input_fractions >= set(INPUT_FRACTIONS) | {Fraction(51, 679)}
    assert max(input_fraction.denominator for input_fraction in input_fractions) in range(900, 1001)


def test_most_can_be_joined_and_a_few_cannot(problems: list[Problem]) -> None:
    walks = [walk(random.Random(0), problem) for problem in problems]
    missing = [problem for problem, found in zip(problems, walks, strict=True) if found is None]
    assert len(missing) <= 0.05 * len(problems)
    assert sum(cpsat.joinable(problem, {}).status == "infeasible" for problem in missing) >= 2
    for problem, found in zip(problems, walks, strict=True):
        if found is not None:
            # which refuses what cannot be joined
            evaluate(problem, found)


def test_limits_lie_at_what_a_choice_takes_or_one_below(problems: list[Problem]) -> None:
    """In problems of a few choices, many have one that takes exactly its limits, or in all one more than that."""
    exact = one_off = 0
    for problem in problems:
        if choices(problem) <= 800 and problem.limits:
            off = [_off(problem, evaluation) for _, evaluation in exhaustive.selections(problem)]
            exact += 0 in off
            one_off += 1 in off
    assert exact >= 15
    assert one_off >= 10


def _off(problem: Problem, evaluation: Evaluation) -> int:
    """By how much the amounts differ from their limits, summed."""
    return sum(abs(evaluation.amounts[name] - limit) for name, limit in problem.limits.items())


def test_the_same_seed_gives_the_same_problem() -> None:
    assert wide_problem(5) == wide_problem(5)
    assert wide_problem(5) != wide_problem(6)
