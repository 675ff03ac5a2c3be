"""Steps that leave fewer and fewer candidates."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from dse.labels.layers import Counter
from dse.labels.weights import Duals
from dse.problem import Objective, Problem
from dse.program import Relaxation
from dse.restrict import RestrictedProblem, Restrictor, split_problem
from tests.dse.chains import optimum, random_chain


def narrowed(problem: Problem, value: Fraction, stalled: float) -> RestrictedProblem:
    return Restrictor(problem, Objective.LATENCY, Counter()).restrict(
        RestrictedProblem(problem), value, False, value, stalled
    )


def test_steps_follow_until_one_leaves_more_than_the_fraction_that_stalls() -> None:
    fewer = 0
    for seed in range(8):
        problem = random_chain(seed, 10)
        best = optimum(problem, Objective.LATENCY)
        if best is not None:
            value = Fraction(int(best[0] * 105 / 100))
            once, often = narrowed(problem, value, 0.0), narrowed(problem, value, 0.95)
            assert len(once.steps) == 1 <= len(often.steps)
            assert often.count <= once.count < RestrictedProblem(problem).count
            fewer += often.count < once.count
    assert fewer >= 2


def test_a_split_is_where_the_relaxation_mixes_though_it_has_no_shares_of_another_op() -> None:
    problem = random_chain(1, 10)
    best = optimum(problem, Objective.LATENCY)
    assert best is not None
    restricted = narrowed(problem, Fraction(int(best[0] * 105 / 100)), 0.0)
    first, *others = restricted.problem.ops
    most = max(len(op.candidates) for op in restricted.problem.ops)
    tried = 0
    for op in others:
        lanes = [own.resources[0] for own in op.candidates]
        if min(lanes) == max(lanes) or len(op.candidates) == most:
            continue
        shares = {own.name: np.eye(len(own.candidates))[0] for own in others}
        shares[op.name] = np.zeros(len(lanes))
        shares[op.name][[lanes.index(min(lanes)), lanes.index(max(lanes))]] = 0.5
        split = split_problem(restricted, Relaxation(0.0, Duals({}, {}, {}, {}, {}, {}, 0.0), shares))
        assert split is not None
        assert first.name not in shares
        assert split.split.op == op.name
        tried += 1
    assert tried
