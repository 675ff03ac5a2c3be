"""A validation split out of the training split, for data sets without one."""

from __future__ import annotations

import numpy as np

EVERY = 5
"""One of so many training images of each class is held out."""


def held_out(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images, training labels, validation images and validation labels.

    Every fifth image of each class is held out for validation. Where no class has five images, it is the last image of
    the first class with the most images.

    Parameters
        x  images of the training split
        y  their labels
    """
    chosen = np.zeros(len(y), dtype=bool)
    classes, counts = np.unique(y, return_counts=True)
    for label in classes:
        chosen[np.flatnonzero(y == label)[EVERY - 1 :: EVERY]] = True
    if len(y) and not chosen.any():
        chosen[np.flatnonzero(y == classes[counts.argmax()])[-1]] = True
    return x[~chosen], y[~chosen], x[chosen], y[chosen]
