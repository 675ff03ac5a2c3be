"""Digits before the simulated camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.data import digits_dvs, load
from models.data.digits import digit_splits
from models.ir.formats.integer import IntType


def few_digits() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {split: (x[:40], y[:40]) for split, (x, y) in digit_splits().items()}


def test_digits_dvs_is_made_once_and_again_when_it_is_gone(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits_dvs, "digit_splits", few_digits)
    first = load("digits_dvs")
    assert first.sparse
    assert (first.shape, first.input_dtype, first.input_scale) == ((32, 32, 2), IntType(3, False), 0.25)
    assert np.array_equal(first.test_y, few_digits()["test"][1])
    assert sorted([*first.train_y, *first.validation_y]) == sorted(few_digits()["train"][1])
    (file,) = cache.iterdir()
    for content in (b"", file.read_bytes()[:-30], None):
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        again = load("digits_dvs")
        assert np.array_equal(again.train_x, first.train_x)
        assert np.array_equal(again.test_x, first.test_x)
        (file,) = cache.iterdir()
    monkeypatch.setattr(digits_dvs, "recordings", None)
    assert np.array_equal(load("digits_dvs").train_x, first.train_x), "not made again while it is kept"
    monkeypatch.setattr(digits_dvs, "CONTRAST", 2.0)
    with pytest.raises(TypeError, match="not callable"):
        load("digits_dvs")


@pytest.mark.slow
def test_digits_dvs_looks_like_n_mnist_and_is_learnable(cache: Path) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    data = load("digits_dvs")
    assert (len(data.train_x), len(data.validation_x), len(data.test_x)) == (1010, 248, 539)
    assert 0.15 < data.masks("train").mean() < 0.3
    assert data.masks("train").any(axis=(1, 2)).all()
    flat = [x.reshape(len(x), -1) for x in (data.train_x, data.test_x)]
    nearest = KNeighborsClassifier(3).fit(flat[0], data.train_y)
    assert nearest.score(flat[1], data.test_y) > 0.95
