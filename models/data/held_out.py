"""The part of a training split that designs are chosen by, where a data set brings none for it."""

from __future__ import annotations

import numpy as np

EVERY = 5
"""Of the training images of a class, every so-many-th is held out."""


def held_out(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images and labels for training, then those for validation: every fifth image of each class.

    Where no class has as many, the last image of a class that has the most is held out.
    """
    chosen = np.zeros(len(y), dtype=bool)
    classes, counts = np.unique(y, return_counts=True)
    for label in classes:
        chosen[np.flatnonzero(y == label)[EVERY - 1 :: EVERY]] = True
    if len(y) and not chosen.any():
        chosen[np.flatnonzero(y == classes[counts.argmax()])[-1]] = True
    return x[~chosen], y[~chosen], x[chosen], y[chosen]
