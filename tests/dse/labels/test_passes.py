"""Label passes beside every selection: bounds of the backward pass, and what the rowwise pass returns."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from benchmarks.inputs.problems import random_problem, with_knees
from dse.exhaustive import selections
from dse.labels.goals import limits_at
from dse.labels.layers import Counter
from dse.labels.network import Network
from dse.labels.passes import cheapest, complete, finishes, rowwise, surrogate
from dse.labels.weights import Weights
from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Objective, Problem
from tests.dse.labels.test_steps import step_of

ONE, TWO = Interface(1, "int8"), Interface(2, "int8")


def test_choices_keep_a_limit_that_only_links_take_from() -> None:
    """``a`` of two lanes is faster, and its links take from what ops do not."""
    a = MilpOp("a", (Candidate(0, 4, (1, 0), ONE, duration=4), Candidate(1, 2, (1, 0), TWO, duration=2)))
    b = MilpOp("b", (Candidate(0, 4, (1, 0), ONE, (ONE,), duration=4),), input_fraction=Fraction(1))
    edge = MilpEdge("a", "b", 0, {(ONE, ONE): Link((0, 0)), (TWO, ONE): Link((0, 3))})
    for ff, choices in ((3, [[0, 0], [1, 0]]), (2, [[0, 0]])):
        result = step_of(Problem("device", (a, b), (edge,), "b", {"lut": 9, "ff": ff}), 3, folded=False).rowwise(None)
        assert sorted(result.choices) == choices


@pytest.mark.parametrize("seed", range(12))
def test_passes_of_a_whole_network_equal_every_selection(seed: int) -> None:
    """With all rows of weight one: the least weighted sum, the least latency, and the selections within all limits."""
    problem = with_knees(random_problem(seed), seed)
    every = [(own, cost) for own, cost in selections(problem)]
    if not every:
        return
    value = sorted(cost.latency for _, cost in every)[len(every) // 2]
    network = Network(problem, timed=True, whole=True)
    weights = Weights.plain(network, np.ones(len(network.row_names), np.int64))
    limits = limits_at(problem, network, Objective.LATENCY, Fraction(value), below=False)
    most = sum(problem.budget.values()) + (problem.max_error or 10**6)

    def weighted(cost: object) -> int:
        return sum(cost.resources.values()) + cost.error  # type: ignore[attr-defined]

    in_time = [
        (own, weighted(cost), cost)
        for own, cost in every
        if cost.latency <= limits.deadline and cost.bottleneck <= limits.cycles and weighted(cost) <= most
    ]
    counter = Counter()
    reached = surrogate(network, weights, limits, counter, most)
    assert reached.empty == (not in_time)
    if reached.empty:
        return
    assert cheapest(network, reached)[0] == min(sum_ for _, sum_, _ in in_time)
    assert finishes(network, reached) == min(cost.latency for _, _, cost in in_time)
    completions = complete(network, weights, limits, reached, counter)
    for op, stage, through in zip(network.ops, network.stages, completions.through, strict=True):
        for number, bound in zip(stage.candidates, through, strict=True):
            sums = [sum_ for own, sum_, _ in in_time if own[op.name] is op.candidates[number]]
            assert bound <= min(sums, default=bound)
    result = rowwise(network, weights, completions, limits, counter, None)
    within = min((cost.latency for _, _, cost in in_time if cost.feasible), default=None)
    assert result.complete
    assert bool(result.choices) == (within is not None)
    if within is not None:
        first = dict(zip([op.name for op in network.ops], result.choices[0], strict=True))
        best = {op.name: op.candidates[first[op.name]] for op in problem.ops}
        assert min(cost.latency for own, cost in every if own == best) == within
