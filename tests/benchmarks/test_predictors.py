from __future__ import annotations

from itertools import pairwise

import numpy as np

from benchmarks import predictors
from models.ir.formats.registry import parse_dtype
from tests.models.nets import random_data

LAYERS = ("a", "b", "c")


def test_assignments_are_drawn_the_same_and_spread() -> None:
    found = predictors.drawn(LAYERS, 200, seed=1)
    assert found == predictors.drawn(LAYERS, 200, seed=1)
    assert found[:9] != predictors.drawn(LAYERS, 9, seed=2)
    assert all(tuple(assignment) == LAYERS for assignment in found)
    used = {name for assignment in found for name in assignment.values()}
    assert used == set(predictors.NUMBERS)
    means = [np.mean([parse_dtype(name).width for name in assignment.values()]) for assignment in found]
    assert min(means) < 3
    assert max(means) > 7


def test_moved_images_are_tested_on_instead_of_learned_from() -> None:
    images = random_data(2, 4)
    assert predictors._moved(images, 0) is images
    moved = predictors._moved(images, 3)
    assert len(moved.train_x) == 26
    assert len(moved.test_x) == 34
    every = sorted(map(bytes, (*images.train_x, *images.test_x)))
    assert sorted(map(bytes, (*moved.train_x, *moved.test_x))) == every


def test_no_network_is_both_learned_from_and_held_out() -> None:
    splits = predictors._splits(predictors.NETWORKS)
    for known, held in splits:
        assert len(held) == predictors.HELD
        assert sorted([*known, *held]) == list(range(predictors.NETWORKS))
    assert all(not np.array_equal(a[1], b[1]) for a, b in pairwise(splits))
