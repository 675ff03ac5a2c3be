"""Passes of labels where shortcuts are not told apart."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from dse.labels.network import Network
from dse.labels.passes import Counter
from dse.labels.steps import take
from dse.labels.weights import Weights
from dse.problem import Candidate, Edge, Interface, Link, Objective, Op, Problem

ONE, TWO = Interface(1, "int8"), Interface(2, "int8")


def shortcut(joined: bool) -> Problem:
    """``a``, then ``b``, then ``c`` of both; ``a`` writes one or two lanes. Where not ``joined``, ``b`` reads one of
    ``a``, and ``c`` two."""
    a = Op("a", (Candidate(0, 4, (1,), ONE, span=4), Candidate(1, 2, (2,), TWO, span=2)))
    b = Op("b", (Candidate(0, 4, (1,), ONE, (ONE,), span=4),))
    c = Op("c", (Candidate(0, 4, (1,), ONE, (ONE, ONE if joined else TWO), span=4),))
    same = {(ONE, ONE): Link((0,)), (TWO, TWO): Link((0,)), (TWO, ONE): Link((3,), 1)}
    read = same if joined else {(ONE, ONE): Link((0,))}
    edges = (Edge("a", "b", 0, read), Edge("b", "c", 0, same), Edge("a", "c", 1, same))
    return Problem("device", (a, b, c), edges, "c", {"lut": 20})


def taken(problem: Problem, *, folded: bool):
    network = Network(problem, timed=True, whole=False, folded=folded)
    weights = Weights.plain(network, np.array([1, 0]))
    return take(network, weights, Objective.LATENCY, Fraction(100), False, Counter())


def test_shortcuts_that_are_not_told_apart_leave_all_choices() -> None:
    step = taken(shortcut(joined=True), folded=True)
    apart = taken(shortcut(joined=True), folded=False)
    assert sum(stage.states for stage in step.network.stages) < sum(stage.states for stage in apart.network.stages)
    found = step.rowwise(None).choices
    assert found == [[0, 0, 0]]
    assert found == apart.rowwise(None).choices


def test_what_joins_only_where_shortcuts_are_not_told_apart_is_no_choice() -> None:
    step = taken(shortcut(joined=False), folded=True)
    assert not step.empty
    found = step.rowwise(None)
    assert found.complete
    assert not found.choices
