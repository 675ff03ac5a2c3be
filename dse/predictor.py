"""Accuracy predictors, learned from networks that were measured.

A network is a row of numbers: formats, sensitivities, and for a parametric backbone its width, depth and so on. What
counts in a prediction is the order of networks that were not measured.
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
"""Folds of the cross-validation."""
GRID = {
    "C": [0.1, 1.0, 10.0, 100.0, 1000.0],
    "gamma": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
    "epsilon": [0.01, 0.1],
}
"""Parameters of support-vector regression that are tried, for features and scores of zero mean and unit deviation."""
LENGTHS, NOISE = (0.1, 1e3), (1e-4, 1.0)
"""Bounds of the Gaussian process's length scales and of its noise variance, for features and scores of zero mean and
unit deviation."""
TREES, LEAF = 200, 2
"""Number of trees, and the fewest networks in a leaf."""


class Predictor(Protocol):
    """Learns the accuracy of networks from their features.

    Features are [n, d], one row per network; accuracies are [n], in any unit. ``fit`` raises ValueError for fewer than
    two networks, for shapes that do not fit, and for values that are not finite. The same rows in the same order give
    the same predictions.
    """

    def fit(self, features: np.ndarray, accuracy: np.ndarray) -> Self: ...

    def predict(self, features: np.ndarray) -> np.ndarray:
        """float64 [n], in the unit of the learned accuracies; the rows have as many features as those of ``fit``."""
        ...


def support_vectors() -> Predictor:
    """Support-vector regression with a Gaussian kernel; cross-validation chooses its parameters from ``GRID``."""
    return _Regression(_searched)


def gaussian_process(ranks: bool = True) -> Predictor:
    """A Gaussian process with a Matern 5/2 kernel; maximum likelihood chooses a length scale for each feature.

    Parameters
        ranks  True: it learns the normal scores of the ranks; False: it learns the values, for uses where differences
               count
    """
    return _Regression(_matern, ranks)


def trees() -> Predictor:
    """Extremely randomized trees."""
    return _Regression(lambda *_: ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, random_state=0))


def _searched(networks: int, _: int) -> Any:
    folds = KFold(min(FOLDS, networks), shuffle=True, random_state=0)
    return GridSearchCV(SVR(), GRID, scoring="neg_mean_squared_error", cv=folds)


def _matern(_: int, features: int) -> Any:
    # distances grow with the square root of the number of features, and so do the initial length scales
    lengths: Any = np.full(features, np.sqrt(features))  # the type annotation of Matern allows only float
    kernel = ConstantKernel() * Matern(lengths, LENGTHS, nu=2.5) + WhiteKernel(0.1, NOISE)
    return GaussianProcessRegressor(kernel, random_state=0)


class _Regression:
    """A scikit-learn regressor behind the ``Predictor`` protocol.

    It sees features of zero mean and unit deviation. With ``ranks`` it sees accuracies as normal scores of their ranks,
    since most networks are nearly as good as the float one, a few are far worse, and the order of the good ones counts.
    Without ``ranks`` it sees accuracies of zero mean and unit deviation.

    Parameters
        make   function from the numbers of networks and of features to a regressor
        ranks  whether it learns ranks
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
            # the warning says that a length scale reached its bound: that feature carries no information
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._regressor.fit((features - self._mean) / self._deviation, self._scores.of(accuracy))
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        features = np.asarray(features, dtype=float)
        if features.ndim != 2 or features.shape[1:] != self._mean.shape:
            raise ValueError(f"features {features.shape}: must be [n, {len(self._mean)}], as they were learned")
        return self._scores.back(self._regressor.predict((features - self._mean) / self._deviation))


class _Ranks:
    """Values as normal scores of their ranks, and back; equal values share a score."""

    def __init__(self, values: np.ndarray) -> None:
        self._values, counts = np.unique(values, return_counts=True)
        middle = np.cumsum(counts) - (counts - 1) / 2
        self._scores = np.array([NormalDist().inv_cdf(rank / (len(values) + 1)) for rank in middle])
        self._slope = values.std()

    def of(self, values: np.ndarray) -> np.ndarray:
        return np.interp(values, self._values, self._scores)

    def back(self, scores: np.ndarray) -> np.ndarray:
        """Interpolates linearly between the given values; beyond them, one score is one standard deviation."""
        beyond = scores - np.clip(scores, self._scores[0], self._scores[-1])
        return np.interp(scores, self._scores, self._values) + self._slope * beyond


class _Values:
    """Values as multiples of their standard deviation from their mean, and back; equal values all become zero."""

    def __init__(self, values: np.ndarray) -> None:
        self._mean, self._deviation = values.mean(), values.std() or 1.0

    def of(self, values: np.ndarray) -> np.ndarray:
        return (values - self._mean) / self._deviation

    def back(self, scores: np.ndarray) -> np.ndarray:
        return scores * self._deviation + self._mean
