"""What holds for every search of architectures, tree or random, one network at a time or in batches."""

from __future__ import annotations

from functools import partial

import pytest

from dse.architecture.random_search import random_search
from dse.architecture.tree_search import Effort, tree_search
from dse.hypervolume import hypervolume
from dse.pareto import dominates
from tests.dse.architecture.backbones import LARGE, REFERENCE, SMALL, Method, backbone, searched

METHODS: dict[str, Method] = {
    "tree by default": tree_search,
    "tree one by one": partial(tree_search, effort=Effort(first=2, batch=1, simulations=5, rollouts=1)),
    "random one by one": random_search,
    "random by fours": partial(random_search, batch=4),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_budget_for_the_whole_space_gives_the_front(name: str) -> None:
    """With a budget for the whole space, each network is evaluated once and the front is exact."""
    evaluations, counted = searched(METHODS[name], SMALL, 1000)
    assert counted.asked == dict.fromkeys(SMALL, 1)
    costs = {choice: backbone(SMALL, choice) for choice in SMALL}
    best = {c for c, own in costs.items() if not any(dominates(other, own) for other in costs.values())}
    assert set(evaluations.front) == best
    assert list(evaluations.front.values()) == sorted(costs[choice] for choice in best)
    assert evaluations.volume == evaluations.volumes[-1] == hypervolume(list(costs.values()), REFERENCE)


@pytest.mark.parametrize("name", METHODS)
def test_no_network_is_evaluated_twice_and_the_budget_holds(name: str) -> None:
    """No network is evaluated twice, and no more than the budget allows."""
    evaluations, counted = searched(METHODS[name], LARGE, 23)
    assert set(counted.asked.values()) == {1}
    assert len(counted.asked) == len(evaluations.costs) == 23
    assert evaluations.remaining == 0
    assert len(searched(METHODS[name], LARGE, 1)[1].asked) == 1
    evaluations.ask(list(counted.asked) + list(LARGE))
    assert len(counted.asked) == 23


@pytest.mark.parametrize("name", METHODS)
def test_the_seed_determines_the_networks(name: str) -> None:
    """The seed alone determines which networks are evaluated, also those that are chosen after a prediction."""
    first, again, other = (list(searched(METHODS[name], LARGE, 16, seed)[0].costs) for seed in (1, 1, 2))
    assert first == again
    assert first != other
