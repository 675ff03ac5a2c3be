"""A problem of two ops, small enough to work out by hand."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Problem

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
    result = Problem("board", ops, (MilpEdge("a", "b", 0, links),), "b", {"lut": 10}, 200, 5)
    return dataclasses.replace(result, **changes)  # type: ignore[arg-type]
