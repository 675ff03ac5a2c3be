"""Points of cycles against the error, where every step between them is known."""

from __future__ import annotations

from itertools import pairwise

from dse.near import near_pareto_points
from dse.problem import Candidate, Interface, MilpOp, Problem


def test_points_are_a_grain_apart_where_every_error_can_be_had() -> None:
    end = Interface(1, "int8")
    op = MilpOp("a", tuple(Candidate(at, 1000 + 10 * at, (1,), end, error=40 - at) for at in range(41)))
    problem = Problem("device", (op,), (), "a", {"lut": 1})
    points = near_pareto_points(problem, 8, 0.001, lambda *_: None)
    assert [(own.evaluation.error, own.evaluation.bottleneck) for own in points] == [
        (40 - at, 1000 + 10 * at) for at in range(0, 41, 8)
    ]


def test_a_point_takes_at_most_a_quarter_of_the_gap_more_cycles_than_a_grain_needs() -> None:
    end = Interface(1, "int8")
    op = MilpOp("a", tuple(Candidate(at, 1000 + at, (1,), end, error=400 - at) for at in range(401)))
    points = [
        own.evaluation
        for own in near_pareto_points(Problem("device", (op,), (), "a", {"lut": 1}), 80, 0.04, lambda *_: None)
    ]
    assert len(points) >= 4
    for before, after in pairwise(points):
        needed = before.bottleneck + 80
        assert needed <= after.bottleneck <= 1.01 * needed
        assert before.error - after.error >= 80
