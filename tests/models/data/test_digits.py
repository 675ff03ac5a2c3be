"""The digits of scikit-learn, and how they are split."""

from __future__ import annotations

import numpy as np

from models.data import load
from models.data.dataset import SPLITS


def test_digits_are_scikit_learns_split_by_class() -> None:
    from sklearn.datasets import load_digits

    data = load("digits")
    pixels, labels = load_digits(return_X_y=True)
    assert data.shape == (8, 8, 1)
    pixels_of_all_splits = np.concatenate([data.encode(data.split(split)[0]) for split in SPLITS]).reshape(-1, 64)
    key = lambda rows: sorted(map(tuple, rows.astype(int).tolist()))  # noqa: E731
    assert key(pixels_of_all_splits) == key(np.asarray(pixels))
    for label in range(10):
        total = int((np.asarray(labels) == label).sum())
        assert int((data.test_y == label).sum()) == round(0.3 * total)
        assert int((data.validation_y == label).sum()) == (total - round(0.3 * total)) // 5
    again = load("digits")
    assert np.array_equal(again.test_x, data.test_x)
    assert np.array_equal(again.test_y, data.test_y)
