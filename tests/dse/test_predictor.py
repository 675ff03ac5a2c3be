from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from scipy.stats import kendalltau

from dse.predictor import Predictor, gaussian_process, support_vectors, trees

by_value = partial(gaussian_process, ranks=False)
EVERY = pytest.mark.parametrize("make", [support_vectors, gaussian_process, trees])


def networks(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Six features of very different units, of which the last says nothing; accuracy falls ever faster with bits."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(2, 9, (count, 5))
    features = np.hstack([bits * [1, 1e3, 1e-3, 1, 1], rng.normal(size=(count, 1))])
    lost = (0.25**bits * [8, 4, 2, 1, 0.5]).sum(axis=1)
    return features, 0.98 - lost / (1 + lost)


@EVERY
def test_unseen_networks_are_ranked(make: Callable[[], Predictor]) -> None:
    features, accuracy = networks(60, seed=0)
    unseen, wanted = networks(60, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predictor = make().fit(features, accuracy)
    assert kendalltau(predictor.predict(unseen), wanted).statistic > 0.6


@pytest.mark.parametrize("make", [support_vectors, gaussian_process, by_value, trees])
def test_units_do_not_matter_and_results_repeat(make: Callable[[], Predictor]) -> None:
    features, accuracy = networks(30, seed=2)
    unseen, _ = networks(10, seed=3)
    first = make().fit(features, accuracy).predict(unseen)
    again = make().fit(features, accuracy)
    assert np.array_equal(again.predict(unseen), first)
    # powers of two are exact
    assert np.array_equal(again.fit(4 * features, 2 * accuracy).predict(4 * unseen), 2 * first)


def test_distances_are_learned_where_order_is_not_all() -> None:
    """A straight line through two heaps of networks: what lies between them is nearer to the line than to a heap."""
    places = np.array([0.0, 1, 2, 3, 4, 40, 41, 42, 43, 44])[:, None]
    between = np.array([[12.0], [22.0], [32.0]])
    off = {
        ranks: np.abs(
            gaussian_process(ranks).fit(places, 10 * places[:, 0]).predict(between) - 10 * between[:, 0]
        ).max()
        for ranks in (True, False)
    }
    assert off[False] < 20 < off[True]


@EVERY
def test_order_is_all_that_is_learned_from(make: Callable[[], Predictor]) -> None:
    features, accuracy = networks(30, seed=2)
    unseen, _ = networks(10, seed=3)
    found, other = (make().fit(features, values).predict(unseen) for values in (accuracy, np.exp(9 * accuracy)))
    assert np.array_equal(np.argsort(found), np.argsort(other))


@EVERY
def test_little_to_learn_from(make: Callable[[], Predictor]) -> None:
    features, accuracy = networks(2, seed=4)
    assert np.isfinite(make().fit(features, accuracy).predict(features)).all()
    same = make().fit(np.ones((7, 3)), np.full(7, 0.5))
    assert same.predict(np.zeros((2, 3))) == pytest.approx([0.5, 0.5], abs=1e-12)


@EVERY
def test_what_does_not_fit_is_named(make: Callable[[], Predictor]) -> None:
    features, accuracy = networks(8, seed=5)
    with pytest.raises(ValueError, match=r"features \(8, 6\) and accuracy \(7,\): must be \[n, d\] and \[n\]"):
        make().fit(features, accuracy[:7])
    with pytest.raises(ValueError, match="n at least 2"):
        make().fit(features[:1], accuracy[:1])
    with pytest.raises(ValueError, match="finite"):
        make().fit(features, np.where(accuracy > accuracy.min(), accuracy, np.nan))
    with pytest.raises(ValueError, match=r"features \(8, 5\): must be \[n, 6\]"):
        make().fit(features, accuracy).predict(features[:, :5])
