"""Sparse images as a smaller sensor would have counted them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.data import Dataset, DatasetError, load
from models.data.arrays import from_arrays
from models.data.resize import resized


def sparse_counts(height: int, width: int, most: int = 3) -> Dataset:
    """Sparse images of counts, some of them at the most there is."""
    x = np.random.default_rng(0).integers(0, most + 1, (6, 2, height, width), dtype=np.uint8)
    x *= np.random.default_rng(1).random((6, 1, height, width)) < 0.3
    keys = dict.fromkeys(("x_train", "x_test"), x) | dict.fromkeys(("y_train", "y_test"), np.arange(6) % 3)
    return from_arrays("some", {**keys, "input_scale": np.array(0.25), "sparse": np.array(1)})


@pytest.mark.parametrize(("shape", "side", "columns"), [((6, 6), 3, 3), ((7, 5), 4, 3), ((5, 9), 5, 9), ((6, 6), 1, 1)])
def test_a_smaller_sensor_counts_what_its_pixels_cover(shape: tuple[int, int], side: int, columns: int) -> None:
    data = sparse_counts(*shape)
    small = resized(data, side)
    assert (small.name, small.shape) == (f"some@{side}", (side, columns, 2))
    before, after = data.encode(data.test_x), small.encode(small.test_x)
    for y in range(side):
        for x in range(columns):
            # the pixels whose own place in the smaller image is (y, x), in the order of the reduction
            rows = [r for r in range(shape[0]) if max(i for i in range(side) if i * shape[0] // side <= r) == y]
            ranks = [c for c in range(shape[1]) if max(i for i in range(columns) if i * shape[1] // columns <= c) == x]
            total = before[:, :, rows][:, :, :, ranks].sum(axis=(2, 3))
            assert np.array_equal(after[:, :, y, x], np.minimum(total, data.input_dtype.max))
    if side == shape[0]:
        assert np.array_equal(small.train_x, data.train_x)


def test_images_are_resized_by_the_data_sets_name(tmp_path: Path) -> None:
    data = sparse_counts(6, 6)
    codes = {"x_train": data.encode(data.train_x), "x_test": data.encode(data.test_x)}
    labels = {"y_train": data.train_y, "y_test": data.test_y}
    np.savez(tmp_path / "some.npz", allow_pickle=False, **codes, **labels, sparse=1)
    small = load(f"{tmp_path / 'some.npz'}@3")
    assert np.array_equal(small.test_x, 4 * resized(data, 3).test_x)
    with pytest.raises(DatasetError, match=r"side: 7 must be 1 to 6, its own"):
        load(f"{tmp_path / 'some.npz'}@7")
    with pytest.raises(DatasetError, match="'digits': is dense"):
        load("digits@4")
