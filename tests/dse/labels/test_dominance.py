"""Labels that no other beats, beside comparing each with each."""

from __future__ import annotations

from itertools import product

import numpy as np

from dse.labels.dominance import FEW, remove_dominated


def test_labels_stay_that_no_other_beats_and_stand_for_those_that_they_beat() -> None:
    rng = np.random.default_rng(0)
    for columns, times, count in product(range(1, 8), (0, 2, 3), (FEW, 2 * FEW)):
        # so few values that all of them are distinguished; costs rise as others fall, so that many stay, and differ
        labels = rng.integers(0, 20, (count, columns))
        labels[:, -1] = (20 * columns - labels[:, :-1].sum(axis=1) + labels[:, -1] // 7) * count
        labels[:, -1] += rng.permutation(count)
        stay, representatives = remove_dominated(labels, min(times, columns - 1))
        # [a, b], whether a is no more than b in any column
        no_more = np.all(labels[:, None] <= labels[None], axis=2)
        less = no_more & ~no_more.T
        assert {*map(tuple, labels[stay])} == {*map(tuple, labels[~less.any(axis=0)])}
        assert len(np.unique(labels[stay], axis=0)) == len(stay)
        assert no_more[stay[representatives], np.arange(count)].all()
