"""Random search is fair, and asks in batches that the budget allows."""

from __future__ import annotations

from collections import Counter

from dse.architecture.evaluations import Evaluations
from dse.architecture.random_search import random_search
from tests.dse.architecture.backbones import (
    LARGE,
    REFERENCE,
    SMALL,
    Counted,
)


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
