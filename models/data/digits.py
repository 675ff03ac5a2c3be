"""The 1,797 handwritten digits that ship with scikit-learn: 8 x 8 pixels of 0 to 16, ten classes."""

from __future__ import annotations

import numpy as np

from models.data.dataset import Augment, Dataset
from models.ir.dtype import IntType

TEST_SHARE = 0.3
SCALE = 1 / 16


def digits() -> Dataset:
    """The fixed split: of every class 70 % for training, 30 % for test."""
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    images = (np.asarray(pixels).reshape(-1, 1, 8, 8) * SCALE).astype(np.float32)
    labels = np.asarray(target).astype(np.int64)
    # RandomState's stream is frozen for good, so the split is the same under every version of numpy
    shuffled = np.random.RandomState(0).permutation(len(labels))
    test = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        members = shuffled[labels[shuffled] == label]
        test[members[: round(TEST_SHARE * len(members))]] = True
    return Dataset(
        "digits",
        images[~test],
        labels[~test],
        images[test],
        labels[test],
        classes=10,
        input_dtype=IntType(5, signed=False),
        input_scale=SCALE,
        augment=Augment(shift=0.7, rotate=10.0, zoom=0.1),
    )
