"""Architecture search: exact where it may see all, frugal, the same for the same seed, and better than chance."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from statistics import median

import numpy as np
import pytest

from dse.architecture.evaluations import Costs, Evaluations
from dse.architecture.random_search import random_search
from dse.architecture.space import Choice, Space, SpaceError
from dse.architecture.tree_search import Effort, spread, tree_search
from dse.hypervolume import hypervolume
from dse.pareto import dominates

Method = Callable[[Evaluations, int], None]
METHODS: dict[str, Method] = {
    "random": random_search,
    "random, by fours": partial(random_search, batch=4),
    "tree": tree_search,
    "tree, one by one": partial(tree_search, effort=Effort(first=2, batch=1, simulations=5, rollouts=1)),
}
REFERENCE = (20.0, 60.0)
SMALL = Space({"width": (1, 2, 4), "kernel": (3, 5), "format": ("int4", "int8")})
LARGE = Space(
    {"width": (2, 3, 4, 6, 8), "depth": (1, 2, 3, 4), "kernel": (3, 5, 7), "expansion": (1, 2, 4), "format": ("a", "b")}
)


def backbone(space: Space, choice: Choice) -> Costs | None:
    """Octaves of cycles, and points of error, as larger networks have more of the one and less of the other.

    What no law says: a tenth of a point to each network, by its place.
    """
    numbers = {name: float(own) for name, own in space.values(choice).items() if not isinstance(own, str)}
    work = 1.0 + (choice[-1] > 0)
    for name, power in (("width", 2.0), ("depth", 1.0), ("kernel", 1.5), ("expansion", 1.0)):
        work *= numbers.get(name, 1.0) ** power
    power = (
        numbers["width"] * numbers.get("depth", 1.0) * numbers.get("expansion", 1.0) ** 0.5 * numbers["kernel"] ** 0.3
    )
    place = sum(own * 7**n for n, own in enumerate(choice))
    return 3 + math.log2(work), 10 + 40 / power + (place % 11) / 10


class Counted:
    """The networks asked for, counted; those that ``fails`` says cannot be built."""

    def __init__(self, space: Space, fails: Callable[[Choice], bool] = lambda _: False) -> None:
        self.space, self.fails = space, fails
        self.asked: Counter[Choice] = Counter()
        self.batches: list[int] = []

    def __call__(self, choices: Sequence[Choice]) -> list[Costs | None]:
        self.asked.update(choices)
        self.batches.append(len(choices))
        return [None if self.fails(choice) else backbone(self.space, choice) for choice in choices]


def searched(method: Method, space: Space, limit: int, seed: int = 0) -> tuple[Evaluations, Counted]:
    counted = Counted(space)
    evaluations = Evaluations(space, counted, limit, REFERENCE)
    method(evaluations, seed)
    return evaluations, counted


@pytest.mark.parametrize("name", METHODS)
def test_whoever_may_see_all_finds_the_front(name: str) -> None:
    evaluations, counted = searched(METHODS[name], SMALL, 1000)
    assert counted.asked == dict.fromkeys(SMALL, 1)
    costs = {choice: backbone(SMALL, choice) for choice in SMALL}
    best = {c for c, own in costs.items() if not any(dominates(other, own) for other in costs.values())}
    assert set(evaluations.front) == best
    assert list(evaluations.front.values()) == sorted(costs[choice] for choice in best)
    assert evaluations.volume == evaluations.volumes[-1] == hypervolume(list(costs.values()), REFERENCE)


@pytest.mark.parametrize("name", METHODS)
def test_no_network_is_evaluated_twice_and_no_more_than_may_be(name: str) -> None:
    evaluations, counted = searched(METHODS[name], LARGE, 23)
    assert set(counted.asked.values()) == {1}
    assert len(counted.asked) == len(evaluations.costs) == 23
    assert evaluations.left == 0
    assert len(searched(METHODS[name], LARGE, 1)[1].asked) == 1
    evaluations.ask(list(counted.asked) + list(LARGE))
    assert len(counted.asked) == 23


@pytest.mark.parametrize("name", METHODS)
def test_a_seed_says_which(name: str) -> None:
    first, again, other = (list(searched(METHODS[name], LARGE, 20, seed)[0].costs) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_volumes_grow_as_networks_come() -> None:
    evaluations, _ = searched(tree_search, LARGE, 25)
    costs = list(evaluations.costs.values())
    assert evaluations.volumes == [hypervolume(costs[: n + 1], REFERENCE) for n in range(25)]
    assert evaluations.volumes == sorted(evaluations.volumes)


def test_the_tree_beats_chance() -> None:
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


def test_what_cannot_be_built_is_no_point_and_is_learned_from() -> None:
    counted = Counted(LARGE, lambda choice: LARGE.values(choice)["kernel"] == 7)
    evaluations = Evaluations(LARGE, counted, 60, REFERENCE)
    tree_search(evaluations, 0)
    assert None in evaluations.costs.values()
    assert all(LARGE.values(choice)["kernel"] != 7 for choice in evaluations.found)
    later = list(evaluations.costs.values())[20:]
    assert later.count(None) < len(later) / 6
    nothing = Evaluations(LARGE, lambda choices: [None] * len(choices), 15, REFERENCE)
    tree_search(nothing, 0)
    assert (nothing.volume, nothing.front, len(nothing.costs)) == (0.0, {}, 15)


def test_networks_are_asked_for_in_batches() -> None:
    _, counted = searched(partial(tree_search, effort=Effort(first=8, batch=6)), LARGE, 30)
    assert counted.batches == [8, 6, 6, 6, 4]


def test_a_space_is_its_decisions() -> None:
    assert (SMALL.size, SMALL.sizes) == (12, (3, 2, 2))
    assert len(set(SMALL)) == 12
    assert SMALL.values((2, 0, 1)) == {"width": 4, "kernel": 3, "format": "int8"}
    mixed = Space({"a": (1, 2, 8), "b": (-1, 0), "c": ("x", "y", "z")})
    expected = [[0, -1, 0, 0], [3, 0, 0, 1], [1, 0, 1, 0]]
    assert np.array_equal(mixed.features([(0, 0, 0), (2, 1, 2), (1, 1, 1)]), expected)


@pytest.mark.parametrize(
    ("decisions", "why"),
    [
        ({}, "at least one decision"),
        ({"width": ()}, "decision 'width' has no options"),
        ({"width": (1, 2, 1)}, "decision 'width': option 1 stands there more than once"),
    ],
)
def test_a_space_without_sense_is_refused(decisions: dict, why: str) -> None:
    with pytest.raises(SpaceError, match=why):
        Space(decisions)


@pytest.mark.parametrize(
    ("field", "value"), [("first", 1), ("batch", 0), ("simulations", 0), ("rollouts", 0), ("exploration", -0.1)]
)
def test_an_effort_without_sense_is_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field}: {value} must be"):
        replace(Effort(), **{field: value})


@pytest.mark.parametrize("costs", [(1.0,), (1.0, math.inf), (math.nan, 1.0)])
def test_costs_are_as_many_as_the_references_and_finite(costs: Costs) -> None:
    evaluations = Evaluations(SMALL, lambda choices: [costs] * len(choices), 3, REFERENCE)
    with pytest.raises(ValueError, match=r"network \{'width': .*must be 2 finite"):
        random_search(evaluations, 0)
    with pytest.raises(ValueError, match="evaluations: 0 must be 1 or more"):
        Evaluations(SMALL, Counted(SMALL), 0, REFERENCE)
