"""Results of label passes: the count of labels, the candidates that stay, and tables of completions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from benchmarks.inputs.problems import random_problem
from dse.labels.goals import limits_at
from dse.labels.layers import Completions, Counter
from dse.labels.network import Network
from dse.labels.passes import complete, surrogate
from dse.labels.weights import Weights
from dse.problem import Objective


def test_labels_are_counted_before_the_check_that_ends_a_search() -> None:
    counter = Counter()

    def check() -> None:
        if counter.labels > 10:
            raise TimeoutError

    counter.check = check
    counter.add(4)
    counter.add(6)
    with pytest.raises(TimeoutError):
        counter.add(1)
    assert counter.labels == 11


def test_candidates_stay_up_to_the_budget() -> None:
    network = Network(random_problem(3), timed=False, whole=True)
    through = [np.array([4, 5, 6]), np.array([9, 0])]
    stays = Completions(network, [], [], through, budget=5).stays
    assert [own.tolist() for own in stays] == [[True, True, False], [False, True]]


def test_a_table_is_no_more_than_the_completion_of_any_label() -> None:
    """Each label is looked up at its own times, as the next pass does."""
    entries = 0
    for seed in range(20):
        problem = random_problem(seed)
        network = Network(problem, timed=True, whole=False)
        if not network.connectable:
            continue
        weights = Weights.plain(network, np.ones(len(network.row_names), np.int64))
        limits = limits_at(problem, network, Objective.LATENCY, Fraction(network.latest), below=False)
        reached = surrogate(network, weights, limits, Counter())
        if reached.empty:
            continue
        completions = complete(network, weights, limits, reached, Counter())
        for place, stage in enumerate(network.stages):
            layer, least = completions.layers[place + 1], completions.least[place]
            for state, table in enumerate(completions.tables(network, place)):
                low, high = layer.offsets[state], layer.offsets[state + 1]
                starts, finishes, branches, entry = table
                for label in range(low, high):
                    times = layer.labels[label, : len(stage.times)]
                    if len(times) not in (2, 3):
                        assert entry.item() <= least[label]
                        continue
                    at = [int(np.searchsorted(axis, time, side="right")) - 1 for axis, time in
                          zip((starts, finishes, branches), (*times, 0), strict=False)]  # fmt: skip
                    assert entry[at[2], at[0], at[1]] <= least[label]
                    entries += 1
    assert entries > 50
