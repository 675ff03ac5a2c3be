"""Weights of a proof: whatever they are, no choice takes less than the least weighted sum that they give."""

from __future__ import annotations

import random

from benchmarks.inputs.problems import random_problem, with_knees
from dse.exhaustive import selections
from dse.labels.goals import limits_at
from dse.labels.network import Network
from dse.labels.weights import Weights
from dse.problem import Objective


def test_no_choice_takes_less_than_the_least_of_weights_that_want_too_much() -> None:
    for seed in range(20):
        check(seed)


def check(seed: int) -> None:
    problem, rng = with_knees(random_problem(seed), seed), random.Random(seed)
    network = Network(problem, timed=True, whole=False)
    found = [own for _, own in selections(problem)]
    if not found:
        return

    def pairs() -> list[list[tuple[int, int]]]:
        return [[(rng.choice((0, 30, 99)), rng.choice((0, 99))) for _ in stage.inputs] for stage in network.stages]

    entry = {
        "rows": [rng.randint(0, 1) for _ in network.row_names], "finish": 50,
        "durations": [rng.choice((0, 0, 30, 99)) for _ in network.stages], "starts": pairs(), "ends": pairs(),
    }  # fmt: skip
    latest = max(own.objective(Objective.LATENCY) for own in found)
    limits = limits_at(problem, network, Objective.LATENCY, latest, below=False)
    least = Weights.read(network, entry).least(network, limits)
    for own in found:
        amounts = {**own.resources, "error": own.error}
        rows = sum(weight * amounts[name] for weight, name in zip(entry["rows"], network.row_names, strict=True))
        if own.bottleneck <= limits.cycles:
            assert least <= rows + 50 * own.latency
