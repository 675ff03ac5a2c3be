"""NSGA-II as the architecture search is measured against it: counted as the others are, and better than chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from benchmarks.architectures import SPACE, named, nsga2
from dse.architecture.evaluations import Costs, Evaluations
from dse.architecture.random_search import random_search
from dse.architecture.space import Choice

LIMIT = 80


def law(choice: Choice) -> Costs | None:
    """More of anything takes more and is better, the last choice of all cannot be built."""
    if all(place == size - 1 for place, size in zip(choice, SPACE.sizes, strict=True)):
        return None
    work = sum((place + 1) ** 1.5 for place in choice)
    return work, 50.0 - 8 * sum(place**0.7 for place in choice) + (sum(choice) * 7 % 5)


def covered(method, seed: int) -> tuple[float, list[Choice]]:
    asked: Counter[Choice] = Counter()

    def evaluate(choices: Sequence[Choice]) -> list[Costs | None]:
        asked.update(choices)
        return [law(choice) for choice in choices]

    evaluations = Evaluations(SPACE, evaluate, LIMIT, (30.0, 60.0))
    method(evaluations, seed)
    assert set(asked.values()) == {1}
    assert len(asked) <= LIMIT
    return evaluations.volume, list(asked)


def test_nsga2_is_counted_as_the_others_are_and_beats_chance() -> None:
    bred, drawn = ([covered(method, seed) for seed in range(9)] for method in (nsga2, random_search))
    assert bred[0] == covered(nsga2, 0)
    assert bred[0][1] != bred[1][1]
    assert median(volume for volume, _ in bred) > median(volume for volume, _ in drawn)


def test_networks_have_names_of_their_own() -> None:
    assert len({named(choice) for choice in SPACE}) == SPACE.size
