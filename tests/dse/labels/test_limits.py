"""Limits beside every selection: the least weighted sum under a limit of cycles, and without any limit."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.inputs.problems import random_problem
from dse.exhaustive import selections
from dse.labels.kernels import NEVER
from dse.labels.limits import Limits
from dse.labels.network import Network
from dse.labels.weights import Weights
from dse.problem import LARGEST


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_a_limit_of_cycles_excludes_slower_candidates(seed: int) -> None:
    problem = random_problem(seed)
    costs = [cost for _, cost in selections(problem)]
    network = Network(problem, timed=False, whole=True)
    weights = Weights.plain(network, np.array([1] * len(problem.budget) + [3]))
    unlimited = np.full(len(network.row_names), NEVER)

    def least(limits: Limits) -> int:
        return weights.least(network, limits) if network.connectable else NEVER

    sums = [(cost.bottleneck, sum(cost.resources.values()) + 3 * cost.error) for cost in costs]
    assert least(Limits(NEVER, unlimited)) == min((own for _, own in sums), default=NEVER)
    for cycles in (0, 20, 40, 60):
        expected = min((own for bottleneck, own in sums if bottleneck <= cycles), default=NEVER)
        assert least(Limits(NEVER, unlimited, cycles)) == expected


def test_no_limit_is_above_every_sum_of_a_thousand_ops() -> None:
    limits = Limits(NEVER, np.array([NEVER]))
    assert limits.cycles > 1000 * LARGEST
    assert limits.cycles + 1000 * LARGEST < np.iinfo(np.int64).max
