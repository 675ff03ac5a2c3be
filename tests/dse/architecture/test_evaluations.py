"""Networks evaluated once, within a budget, and the hypervolume that they cover."""

from __future__ import annotations

import math

import pytest

from dse.architecture.evaluations import Costs, Evaluations
from dse.architecture.random_search import random_search
from dse.architecture.tree_search import tree_search
from dse.hypervolume import hypervolume
from tests.dse.architecture.backbones import LARGE, REFERENCE, SMALL, Counted, searched


def test_volumes_grow_as_networks_come() -> None:
    evaluations, _ = searched(tree_search, LARGE, 25)
    costs = list(evaluations.feasible.values())
    assert len(costs) == 25
    assert evaluations.volumes == [hypervolume(costs[: n + 1], REFERENCE) for n in range(25)]
    assert evaluations.volumes == sorted(evaluations.volumes)


@pytest.mark.parametrize("costs", [(1.0,), (1.0, math.inf), (math.nan, 1.0)])
def test_costs_are_as_many_as_the_references_and_finite(costs: Costs) -> None:
    evaluations = Evaluations(SMALL, lambda choices: [costs] * len(choices), 3, REFERENCE)
    with pytest.raises(ValueError, match=r"network \{'width': .*must be 2 finite"):
        random_search(evaluations, 0)
    with pytest.raises(ValueError, match="evaluations: 0 must be 1 or more"):
        Evaluations(SMALL, Counted(SMALL), 0, REFERENCE)
