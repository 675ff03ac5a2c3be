"""The 1,797 handwritten digits that ship with scikit-learn: 8 x 8 pixels of 0 to 16, ten classes."""

from __future__ import annotations

import numpy as np

from models.data.dataset import Augment, Dataset
from models.data.held_out import held_out
from models.ir.formats.integer import IntType

TEST_SHARE = 0.3
SCALE = 1 / 16


def digit_splits() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Images and labels of ``test``, 30 % of each class, and of ``train``, the others; the split is always the same."""
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
    return {"train": (images[~test], labels[~test]), "test": (images[test], labels[test])}


def digits() -> Dataset:
    """The data set."""
    splits = digit_splits()
    return Dataset(
        "digits",
        *held_out(*splits["train"]),
        *splits["test"],
        classes=10,
        input_dtype=IntType(5, signed=False),
        input_scale=SCALE,
        augment=Augment(shift=0.7, rotate=10.0, zoom=0.1),
    )
