"""The exhaustive oracle, against a dynamic program on chains, and refusals worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dse import exhaustive
from dse.problem import (
    TIE_BREAK,
    Candidate,
    Infeasible,
    Interface,
    Link,
    MilpEdge,
    MilpOp,
    Objective,
    Problem,
    Shortfall,
)
from tests.dse.chains import optimum, random_chain


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("objective", list(Objective))
def test_the_dynamic_program_equals_every_choice(seed: int, objective: Objective) -> None:
    problem = random_chain(seed, 4)
    try:
        found = exhaustive.solve(problem, objective)[1]
    except Infeasible:
        assert optimum(problem, objective) is None
        return
    assert optimum(problem, objective) == (found.objective(objective), found.objective(TIE_BREAK[objective]))


ONE, TWO = Interface(1, "int8"), Interface(2, "int8")


def pair(lut: int, max_latency: int | None, joined: bool = True) -> Problem:
    """A small and slow candidate of each op, and a large and fast one; ``b`` reads what both of ``a`` write."""
    a = MilpOp("a", (Candidate("small", 8, (1,), ONE, duration=8), Candidate("large", 2, (5,), TWO, duration=2)))
    b = MilpOp(
        "b", (Candidate("small", 6, (2,), ONE, (ONE,), drain=6), Candidate("large", 3, (4,), ONE, (ONE,), drain=3))
    )
    links = {(ONE, ONE): Link((0,)), (TWO, ONE): Link((1,))} if joined else {(TWO, TWO): Link((0,))}
    return Problem("board", (a, b), (MilpEdge("a", "b", 0, links),), "b", {"lut": lut}, max_latency=max_latency)


def test_every_selection_is_listed_once() -> None:
    amounts = {
        (own["a"].choice, own["b"].choice): cost.resources["lut"] for own, cost in exhaustive.selections(pair(9, None))
    }
    small, large = "small", "large"
    assert amounts == {(small, small): 3, (small, large): 5, (large, small): 8, (large, large): 10}
    assert list(exhaustive.selections(pair(9, None, joined=False))) == []


def refusal(problem: Problem) -> tuple[tuple[Shortfall, ...], bool, Fraction]:
    with pytest.raises(Infeasible) as caught:
        exhaustive.solve(problem, Objective.LATENCY)
    return caught.value.shortfalls, caught.value.alone, caught.value.violation


def test_a_refusal_says_what_is_short() -> None:
    # 3 LUT at least, 2 allowed; the selection of 3 takes 14 cycles, which is no limit here
    assert refusal(pair(2, None)) == ((Shortfall("lut", 3, 2),), True, Fraction(1, 2))
    # each limit can be kept alone; of 14, 11, 8 and 5 cycles at 3, 5, 8 and 10 LUT, the second exceeds 10 cycles least
    assert refusal(pair(5, 10)) == ((Shortfall("latency", 11, 10),), False, Fraction(1, 10))
    assert refusal(pair(9, None, joined=False)) == ((), False, Fraction(0))
