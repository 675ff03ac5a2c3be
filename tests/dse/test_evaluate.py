"""What a selection costs, worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dse.evaluate import evaluate, has_links, utilisation, violation
from dse.problem import Candidate, Link, MilpEdge, MilpOp, Problem, ProblemError
from tests.dse.by_hand import FAST, ONE, SLOW, SOURCE, problem


def test_an_op_that_keeps_up_waits_for_its_input() -> None:
    evaluation = evaluate(problem(), {"a": SOURCE, "b": FAST})
    # starts at 1 + 25 + 5, a quarter of 99 rounded up, and its last input, at 99, takes 1 + 12 to pass
    assert evaluation.latency == 99 + 1 + 12
    assert (evaluation.bottleneck, evaluation.resources, evaluation.error) == (101, {"lut": 11}, 3)
    assert evaluation.violation == Fraction(1, 10)
    assert not evaluation.feasible


def test_a_slow_op_sets_its_own_pace() -> None:
    evaluation = evaluate(problem(max_cycles=None), {"a": SOURCE, "b": SLOW})
    # its own work up to the first output, 40, is more than the quarter of the input and 5, 30
    assert evaluation.latency == 40 + 380
    assert evaluation.feasible


def test_limits_of_nothing_count_as_one() -> None:
    assert evaluate(problem(budget={"lut": 0}, max_cycles=None), {"a": SOURCE, "b": SLOW}).violation == 2


def test_what_cannot_be_joined_is_named() -> None:
    broken = problem(edges=(MilpEdge("a", "b", 0, {(ONE, ONE): Link((0,))}),))
    with pytest.raises(ProblemError, match=r"edge a->b\[0\]: .*lanes=1.* cannot be joined to .*lanes=2"):
        evaluate(broken, {"a": SOURCE, "b": FAST})


def test_most_work_after_the_knee_delays_the_last_output() -> None:
    """Of an input of 99 cycles, two thirds have passed after 66, and ``rest`` is longer than what follows the end."""
    rested = Candidate("rested", 50, (1,), ONE, (ONE,), first_output=20, duration=45, drain=12, rest=61)
    ops = (MilpOp("a", (SOURCE,)), MilpOp("b", (rested,), Fraction(1, 4), Fraction(2, 3)))
    edges = (MilpEdge("a", "b", 0, {(ONE, ONE): Link((0,), 2)}),)
    own = Problem("board", ops, edges, "b", {"lut": 10})
    assert evaluate(own, {"a": SOURCE, "b": rested}).latency == 66 + 2 + 61


def test_the_largest_fraction_of_a_limit_counts() -> None:
    assert violation({"lut": 12, "dsp": 9, "cycles": 5}, {"lut": 10, "dsp": 6, "cycles": 7}) == Fraction(1, 2)
    assert violation({"lut": 10}, {"lut": 10}) == violation({}, {}) == 0
    assert utilisation({"lut": 3, "dsp": 4}, {"lut": 10, "dsp": 5}) == Fraction(4, 5)
    assert utilisation({"lut": 3}, {"lut": 0}) == 3
    assert utilisation({}, {}) == 0


def test_a_selection_is_joined_where_every_edge_has_a_link() -> None:
    assert has_links(problem(), {"a": SOURCE, "b": SLOW})
    narrow = problem(edges=(MilpEdge("a", "b", 0, {(ONE, ONE): Link((0,))}),))
    assert has_links(narrow, {"a": SOURCE, "b": SLOW})
    assert not has_links(narrow, {"a": SOURCE, "b": FAST})
