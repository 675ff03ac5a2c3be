"""Problems: inconsistent ones are refused, limits are tightened, and refusals are worded."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest

from dse.problem import (
    Candidate,
    Infeasible,
    Interface,
    Link,
    MilpEdge,
    MilpOp,
    Objective,
    Problem,
    ProblemError,
    Shortfall,
)
from tests.dse.by_hand import ONE, SLOW, SOURCE, problem


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"ops": ()}, "consumer 'b' is no op"),
        ({"ops": (MilpOp("a", (SOURCE,)), MilpOp("a", (SOURCE,)))}, "op 'a' stands twice"),
        ({"ops": (MilpOp("a", ()),)}, "op 'a' has no candidates"),
        ({"ops": (MilpOp("b", (SLOW,)), MilpOp("a", (SOURCE,)))}, "producer 'a' is no earlier op"),
        ({"ops": (MilpOp("a", (SLOW,)),)}, "reads 1 inputs, but 0 edges"),
        ({"ops": (MilpOp("a", (SOURCE,), Fraction(3, 2)),)}, "op 'a': input_fraction must be 0 to 1, not 3/2"),
        ({"ops": (MilpOp("a", (dataclasses.replace(SOURCE, cycles=-1),)),)}, "must not be negative"),
        ({"budget": {"lut": 1, "ff": 1}}, "1 resources, the budget has 2"),
        ({"output": "c"}, "output 'c' is no op; ops are a, b"),
        ({"edges": (MilpEdge("a", "b", 1, {}),)}, r"edges lead to inputs \[1\]"),
        ({"edges": (MilpEdge("a", "b", 0, {(ONE, Interface(1, "int4")): Link((0,))}),)}, "needs one format"),
    ],
)
def test_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        problem(**changes)


def test_a_producer_that_comes_later_is_named() -> None:
    first = MilpOp("b", (Candidate("b", 1, (0,), ONE, (ONE,)),))
    second = MilpOp("a", (Candidate("a", 1, (0,), ONE),))
    edge = MilpEdge("a", "b", 0, {(ONE, ONE): Link((0,))})
    with pytest.raises(ProblemError, match="producer 'a' is no earlier op"):
        Problem("board", (first, second), (edge,), "a", {"lut": 1})


def test_an_epsilon_constraint_tightens_one_limit_and_keeps_a_tighter_one() -> None:
    """The limits are 200 cycles, an error of 5 and 10 LUT."""
    own = problem(budget={"lut": 10, "dsp": 0}, ops=(MilpOp("b", (Candidate("b", 1, (0, 0), ONE),)),), edges=())
    assert own.with_limit(Objective.BOTTLENECK, Fraction(301, 2)).limits["cycles"] == 150
    assert own.with_limit(Objective.BOTTLENECK, Fraction(300)).limits["cycles"] == 200
    assert own.with_limit(Objective.ERROR, Fraction(3)).limits["error"] == 3
    assert own.with_limit(Objective.LATENCY, Fraction(99)).limits == {**own.limits, "latency": 99}
    assert own.with_limit(Objective.UTILISATION, Fraction(7, 8)).budget == {"lut": 8, "dsp": 0}
    assert own.with_limit(Objective.UTILISATION, Fraction(2)).budget == own.budget


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        (
            Infeasible("board", (Shortfall("lut", 12, 10), Shortfall("cycles", 9, 5)), True, Fraction(4, 5)),
            "infeasible on board: needs at least 12 LUT, has 10; 9 cycles a frame, limit 5",
        ),
        (
            Infeasible("board", (Shortfall("latency", 11, 10),), False, Fraction(1, 10)),
            "infeasible on board: no limit alone, but not all together: at best exceeded by 10.0%, "
            "needing 11 cycles of latency, limit 10",
        ),
        (
            Infeasible("board", (), False, Fraction(0)),
            "infeasible on board: no choice of candidates gives every edge one format and lanes that can be joined",
        ),
    ],
)
def test_a_refusal_says_which_limits_cannot_be_kept(refusal: Infeasible, message: str) -> None:
    assert str(refusal) == message
