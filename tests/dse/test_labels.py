"""Passes of labels where shortcuts are not told apart."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from dse.labels.layers import Counter
from dse.labels.network import Network
from dse.labels.steps import take
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


def taken(problem: Problem, rows: int, *, folded: bool):
    """A step with a weight on the first row alone."""
    network = Network(problem, timed=True, whole=False, folded=folded)
    weights = Weights.plain(network, np.array([1, *[0] * (rows - 1)]))
    return take(network, weights, Objective.LATENCY, Fraction(100), False, Counter())


def test_shortcuts_that_are_not_told_apart_leave_all_choices() -> None:
    step = taken(shortcut(joined=True), 2, folded=True)
    apart = taken(shortcut(joined=True), 2, folded=False)
    assert sum(stage.states for stage in step.network.stages) < sum(stage.states for stage in apart.network.stages)
    found = step.rowwise(None).choices
    assert found == [[0, 0, 0]]
    assert found == apart.rowwise(None).choices


def test_what_joins_only_where_shortcuts_are_not_told_apart_is_no_choice() -> None:
    step = taken(shortcut(joined=False), 2, folded=True)
    assert not step.empty
    found = step.rowwise(None)
    assert found.complete
    assert not found.choices


def test_choices_keep_a_limit_that_only_links_take_from() -> None:
    """``a`` of two lanes is faster, and its links take from what ops do not."""
    a = MilpOp("a", (Candidate(0, 4, (1, 0), ONE, duration=4), Candidate(1, 2, (1, 0), TWO, duration=2)))
    b = MilpOp("b", (Candidate(0, 4, (1, 0), ONE, (ONE,), duration=4),), input_fraction=Fraction(1))
    edge = MilpEdge("a", "b", 0, {(ONE, ONE): Link((0, 0)), (TWO, ONE): Link((0, 3))})
    for ff, choices in ((3, [[0, 0], [1, 0]]), (2, [[0, 0]])):
        found = taken(Problem("device", (a, b), (edge,), "b", {"lut": 9, "ff": ff}), 3, folded=False).rowwise(None)
        assert sorted(found.choices) == choices


def test_the_rest_of_an_op_is_the_least_that_later_ones_take_after_its_end() -> None:
    """Of the tails: two ways from ``a`` to ``d``, of which one is longer; what ``e`` reads does not matter."""

    def op(name: str, tails: tuple[int, ...], reads: int) -> MilpOp:
        return MilpOp(
            name, tuple(Candidate(at, 1, (), ONE, (ONE,) * reads, drain=drain) for at, drain in enumerate(tails))
        )

    ops = op("a", (9,), 0), op("b", (3, 5), 1), op("c", (20, 7), 1), op("d", (2, 1), 2), op("e", (50,), 1)
    ways = ("a", "b", 0), ("a", "c", 0), ("b", "d", 0), ("c", "d", 1), ("a", "e", 0)
    edges = tuple(MilpEdge(one, other, at, {(ONE, ONE): Link(())}) for one, other, at in ways)
    network = Network(Problem("device", ops, edges, "d", {}), timed=True, whole=True)
    rest = dict(zip([own.name for own in network.ops], network.rest, strict=True))
    assert {name: rest[name] for name in "abcd"} == {"a": 7 + 1, "b": 1, "c": 1, "d": 0}
    assert rest["e"] < -1000
