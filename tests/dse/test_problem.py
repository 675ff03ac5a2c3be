"""What a choice costs, on a problem small enough to work out by hand; and what is refused."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest

from dse.evaluate import evaluate
from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Problem, ProblemError

ONE, TWO = Interface(1, "int8"), Interface(2, "int8")
SOURCE = Candidate("source", cycles=101, resources=(0,), writes=ONE, duration=99)
FAST = Candidate(
    "fast", cycles=50, resources=(7,), writes=ONE, reads=(TWO,), fill=5, first_output=20, duration=45, drain=12, error=3
)
SLOW = Candidate(
    "slow", cycles=400, resources=(2,), writes=ONE, reads=(ONE,), fill=5, first_output=40, duration=380, drain=12
)


def problem(**changes: object) -> Problem:
    links = {(ONE, TWO): Link((4,), 1), (ONE, ONE): Link((0,))}
    ops = (MilpOp("a", (SOURCE,)), MilpOp("b", (FAST, SLOW), Fraction(1, 4)))
    made = Problem("board", ops, (MilpEdge("a", "b", 0, links),), "b", {"lut": 10}, 200, 5)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def test_an_op_that_keeps_up_waits_for_its_input() -> None:
    evaluation = evaluate(problem(), {"a": SOURCE, "b": FAST})
    # starts at 1 + 25 + 5, a quarter of 99 rounded up, and its last input, at 99, takes 1 + 12 to pass
    assert evaluation.latency == 99 + 1 + 12
    assert (evaluation.bottleneck, evaluation.resources, evaluation.error) == (101, {"lut": 11}, 3)
    assert evaluation.overrun == Fraction(1, 10)
    assert not evaluation.feasible


def test_a_slow_op_sets_its_own_pace() -> None:
    evaluation = evaluate(problem(max_cycles=None), {"a": SOURCE, "b": SLOW})
    # its own work up to the first output, 40, is more than the quarter of the input and 5, 30
    assert evaluation.latency == 40 + 380
    assert evaluation.feasible


def test_limits_of_nothing_count_as_one() -> None:
    assert evaluate(problem(budget={"lut": 0}, max_cycles=None), {"a": SOURCE, "b": SLOW}).overrun == 2


def test_what_cannot_be_joined_is_named() -> None:
    broken = problem(edges=(MilpEdge("a", "b", 0, {(ONE, ONE): Link((0,))}),))
    with pytest.raises(ProblemError, match=r"edge a->b\[0\]: .*lanes=1.* cannot be joined to .*lanes=2"):
        evaluate(broken, {"a": SOURCE, "b": FAST})


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"ops": ()}, "consumer 'b' is no op"),
        ({"ops": (MilpOp("a", (SOURCE,)), MilpOp("a", (SOURCE,)))}, "op 'a' stands twice"),
        ({"ops": (MilpOp("a", ()),)}, "op 'a' has no candidates"),
        ({"ops": (MilpOp("b", (SLOW,)), MilpOp("a", (SOURCE,)))}, "producer 'a' is no earlier op"),
        ({"ops": (MilpOp("a", (SLOW,)),)}, "reads 1 inputs, but 0 edges"),
        ({"ops": (MilpOp("a", (SOURCE,), Fraction(3, 2)),)}, "lead must be 0 to 1, not 3/2"),
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
