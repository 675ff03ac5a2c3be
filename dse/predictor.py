"""What accuracy a network will have, learned from those that were measured.

A network is a row of numbers: formats, sensitivities, and of a parametric backbone its width, depth and the like. What
counts in a prediction is the order in which it puts networks it has not seen.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, Protocol, Self

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.svm import SVR

FOLDS = 5
GRID = {
    "C": [0.1, 1.0, 10.0, 100.0, 1000.0],
    "gamma": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
    "epsilon": [0.01, 0.1],
}
"""Of support-vector regression, for features and scores of zero mean and unit deviation."""
LENGTHS, NOISE = (0.1, 1e3), (1e-4, 1.0)
"""Of the Gaussian process, the same: lengths over which a feature may matter, and the variance that is chance."""
TREES, LEAF = 200, 2
"""How many, and the fewest networks that one of their leaves may hold."""


class Predictor(Protocol):
    """Learns from ``features`` [n, d], a row a network, and its ``accuracy`` [n] in any unit.

    The same rows in the same order give the same predictions. ``fit`` raises ValueError for fewer than two networks,
    for shapes that do not fit and for what is not finite.
    """

    def fit(self, features: np.ndarray, accuracy: np.ndarray) -> Self: ...

    def predict(self, features: np.ndarray) -> np.ndarray:
        """float64 [n], in the unit of what was learned; after ``fit``, of rows with as many features."""
        ...


def support_vectors() -> Predictor:
    """Support-vector regression with a Gaussian kernel; its parameters are the best of ``GRID`` in cross-validation."""
    return _Regression(_searched)


def gaussian_process(ranks: bool = True) -> Predictor:
    """A Gaussian process, Matern 5/2 with a length to each feature, which the likelihood chooses.

    Without ``ranks`` it learns the values as they are: where it counts by how much a network is better.
    """
    return _Regression(_matern, ranks)


def trees() -> Predictor:
    """Extremely randomized trees."""
    return _Regression(lambda *_: ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, random_state=0))


def _searched(networks: int, _: int) -> Any:
    folds = KFold(min(FOLDS, networks), shuffle=True, random_state=0)
    return GridSearchCV(SVR(), GRID, scoring="neg_mean_squared_error", cv=folds)


def _matern(_: int, features: int) -> Any:
    # distances grow with the square root of the number of features, and so the lengths begin
    lengths: Any = np.full(features, np.sqrt(features))  # its type says float alone
    kernel = ConstantKernel() * Matern(lengths, LENGTHS, nu=2.5) + WhiteKernel(0.1, NOISE)
    return GaussianProcessRegressor(kernel, random_state=0)


class _Regression:
    """A regressor of scikit-learn's, made for so many networks and features.

    It sees features of zero mean and unit deviation, and accuracies as normal scores of their ranks: most networks are
    nearly as good as the float one and a few far worse, and it is the order of the good ones that counts. Without
    ``ranks`` it sees accuracies as it does features.
    """

    def __init__(self, make: Callable[[int, int], Any], ranks: bool = True) -> None:
        self._make, self._ranks = make, ranks

    def fit(self, features: np.ndarray, accuracy: np.ndarray) -> Self:
        features, accuracy = np.asarray(features, dtype=float), np.asarray(accuracy, dtype=float)
        if features.ndim != 2 or accuracy.shape != features.shape[:1] or len(features) < 2 or not features.shape[1]:
            raise ValueError(
                f"features {features.shape} and accuracy {accuracy.shape}: must be [n, d] and [n], n at least 2, d 1"
            )
        if not (np.isfinite(features).all() and np.isfinite(accuracy).all()):
            raise ValueError("features and accuracy must be finite")
        deviation = features.std(axis=0)
        self._mean, self._deviation = features.mean(axis=0), np.where(deviation > 0, deviation, 1.0)
        self._scores = _Ranks(accuracy) if self._ranks else _Values(accuracy)
        self._regressor = self._make(*features.shape)
        with warnings.catch_warnings():
            # that a length has reached its bound: its feature says nothing
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._regressor.fit((features - self._mean) / self._deviation, self._scores.of(accuracy))
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        features = np.asarray(features, dtype=float)
        if features.ndim != 2 or features.shape[1:] != self._mean.shape:
            raise ValueError(f"features {features.shape}: must be [n, {len(self._mean)}], as they were learned")
        return self._scores.back(self._regressor.predict((features - self._mean) / self._deviation))


class _Ranks:
    """Values as the quantiles of a normal distribution that their ranks are, and back; equal values share a score."""

    def __init__(self, values: np.ndarray) -> None:
        self._values, counts = np.unique(values, return_counts=True)
        middle = np.cumsum(counts) - (counts - 1) / 2
        self._scores = np.array([NormalDist().inv_cdf(rank / (len(values) + 1)) for rank in middle])
        self._slope = values.std()

    def of(self, values: np.ndarray) -> np.ndarray:
        return np.interp(values, self._values, self._scores)

    def back(self, scores: np.ndarray) -> np.ndarray:
        """Straight lines between the values that were given; beyond them, a deviation a score."""
        beyond = scores - np.clip(scores, self._scores[0], self._scores[-1])
        return np.interp(scores, self._scores, self._values) + self._slope * beyond


class _Values:
    """Values with their mean taken away and divided by their deviation, and back; equal ones all become zero."""

    def __init__(self, values: np.ndarray) -> None:
        self._mean, self._deviation = values.mean(), values.std() or 1.0

    def of(self, values: np.ndarray) -> np.ndarray:
        return (values - self._mean) / self._deviation

    def back(self, scores: np.ndarray) -> np.ndarray:
        return scores * self._deviation + self._mean
