"""The limits of a search, beside every selection: they hold for those, and only those, that reach the value."""

from __future__ import annotations

from fractions import Fraction

import pytest

from benchmarks.inputs.problems import random_problem
from dse.evaluate import Evaluation
from dse.exhaustive import selections
from dse.labels.goals import Goal, limits_at, value_of
from dse.labels.limits import Limits
from dse.labels.network import Network
from dse.problem import Objective


def keeps(cost: Evaluation, limits: Limits, names: tuple[str, ...]) -> bool:
    amounts = {**cost.resources, "error": cost.error}
    rows = all(amounts[name] <= cap for name, cap in zip(names, limits.caps, strict=True))
    return rows and cost.latency <= limits.deadline and cost.bottleneck <= limits.cycles


@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("goal", [*Objective, None])
def test_limits_hold_for_the_selections_that_reach_the_value(goal: Goal, below: bool) -> None:
    reached = 0
    for seed in range(0, 60, 10):
        problem = random_problem(seed)
        costs = [cost for _, cost in selections(problem)][:80]
        network = Network(problem, timed=True, whole=True)
        # values of selections, and values between them
        values = sorted({value_of(goal, cost) for cost in costs})[:6]
        if goal is None and below:
            # no violation is less than 0
            values = [value for value in values if value]
        for value in (*values, *(own + Fraction(1, 3) for own in values)):
            limits = limits_at(problem, network, goal, value, below=below)
            for cost in costs:
                own = value_of(goal, cost)
                within = (goal is None or cost.feasible) and (own < value or (own == value and not below))
                assert keeps(cost, limits, network.row_names) == within
                reached += within
    assert reached > 20
