"""Random search: exact where the budget covers the space, frugal, the same for the same seed, and fair."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest

from dse.architecture.evaluations import Evaluations
from dse.architecture.random_search import random_search
from tests.dse.architecture.backbones import (
    LARGE,
    REFERENCE,
    SMALL,
    Counted,
    Method,
    check_budget,
    check_finds_the_front,
    check_seed,
)

METHODS: dict[str, Method] = {
    "one by one": random_search,
    "by fours": partial(random_search, batch=4),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_budget_for_the_whole_space_gives_the_front(name: str) -> None:
    check_finds_the_front(METHODS[name])


@pytest.mark.parametrize("name", METHODS)
def test_no_network_is_evaluated_twice_and_the_budget_holds(name: str) -> None:
    check_budget(METHODS[name])


@pytest.mark.parametrize("name", METHODS)
def test_the_seed_determines_the_networks(name: str) -> None:
    check_seed(METHODS[name])


def test_networks_are_equally_likely() -> None:
    """Of 12 networks, each is the first of 600 seeds about 50 times; 7 is one standard deviation."""
    first: Counter[tuple[int, ...]] = Counter()
    for seed in range(600):
        evaluations = Evaluations(SMALL, Counted(SMALL), 1, REFERENCE)
        random_search(evaluations, seed)
        first.update(list(evaluations.costs))
    assert set(first) == set(SMALL)
    assert max(abs(count - 50) for count in first.values()) < 5 * 7


def test_batches_are_as_large_as_the_budget_allows() -> None:
    counted = Counted(LARGE)
    random_search(Evaluations(LARGE, counted, 14, REFERENCE), 0, batch=4)
    assert counted.batches == [4, 4, 4, 2]
