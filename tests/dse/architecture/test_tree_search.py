"""The tree search: it tries every option first, learns from what cannot be built, and beats chance."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import partial
from statistics import median

import pytest

from dse.architecture.evaluations import Evaluations
from dse.architecture.random_search import random_search
from dse.architecture.tree_search import Effort, spread, tree_search
from tests.dse.architecture.backbones import (
    LARGE,
    REFERENCE,
    Counted,
    searched,
)


@pytest.mark.whole
def test_the_tree_beats_random_search() -> None:
    """Every seed covers more than half of all that chance does, the median seed more than chance ever does."""
    by_tree, by_chance = (
        [searched(method, LARGE, 30, seed)[0].volume for seed in range(7)] for method in (tree_search, random_search)
    )
    assert min(by_tree) > median(by_chance)
    assert median(by_tree) > max(by_chance)


def test_the_first_networks_try_every_option() -> None:
    for seed in range(5):
        first = spread(LARGE, 12, random.Random(seed))
        assert len(set(first)) == 12
        for decision, size in enumerate(LARGE.sizes):
            counts = Counter(choice[decision] for choice in first)
            assert set(counts) == set(range(size))


@pytest.mark.whole
def test_what_cannot_be_built_is_no_point_and_is_learned_from() -> None:
    counted = Counted(LARGE, lambda choice: LARGE.values(choice)["kernel"] == 7)
    evaluations = Evaluations(LARGE, counted, 60, REFERENCE)
    tree_search(evaluations, 0)
    assert None in evaluations.costs.values()
    assert all(LARGE.values(choice)["kernel"] != 7 for choice in evaluations.feasible)
    later = list(evaluations.costs.values())[20:]
    assert later.count(None) < len(later) / 6
    nothing = Evaluations(LARGE, lambda choices: [None] * len(choices), 15, REFERENCE)
    tree_search(nothing, 0)
    assert (nothing.volume, nothing.front, len(nothing.costs)) == (0.0, {}, 15)


def test_networks_are_asked_for_in_batches() -> None:
    _, counted = searched(partial(tree_search, effort=Effort(first=8, batch=6)), LARGE, 30)
    assert counted.batches == [8, 6, 6, 6, 4]


@pytest.mark.parametrize(
    ("field", "value"), [("first", 1), ("batch", 0), ("simulations", 0), ("rollouts", 0), ("exploration", -0.1)]
)
def test_an_effort_without_sense_is_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field}: {value} must be"):
        replace(Effort(), **{field: value})
