"""A data set from arrays: its input format, its splits, and arrays that are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from models.data import DatasetError
from models.data.arrays import from_arrays
from models.ir.formats.integer import IntType
from tests.models.data.arrays import arrays


@pytest.mark.parametrize(
    "x, dtype, scale",
    [
        (np.arange(24, dtype=np.uint8), IntType(5, False), 1.0),
        (np.arange(-3, 21), IntType(6, True), 1.0),
        (np.arange(24) / np.float32(255), IntType(5, False), 1 / 255),
        (np.arange(-8, 16) / 16.0, IntType(5, True), 1 / 16),
        (np.linspace(0, np.pi, 24), IntType(8, False), np.pi / 255),
        (np.linspace(-1, np.pi, 24), IntType(8, True), np.pi / 127),
    ],
)
def test_input_format_follows_the_pixels(x: np.ndarray, dtype: IntType, scale: float) -> None:
    x = x.reshape(6, 2, 2)
    data = from_arrays("x", arrays(x_train=x, x_test=x[:3], x_val=x[:2], y_val=np.array([0, 1])))
    assert data.input_dtype == dtype
    assert data.input_scale == pytest.approx(scale, rel=1e-12)
    assert data.train_x.shape == (6, 1, 2, 2)
    assert np.array_equal((data.encode(data.train_x) * data.input_scale).astype(np.float32), data.train_x)
    on_grid = np.allclose(x / scale, np.rint(x / scale))
    assert np.abs(data.train_x[:, 0] - x).max() <= (1e-6 if on_grid else 0.5001) * scale


def test_a_given_scale_multiplies_integers_and_divides_floats() -> None:
    raw = arrays()
    data = from_arrays("x", arrays(input_scale=0.5))
    assert np.array_equal(data.test_x, raw["x_test"] * np.float32(0.5))
    floats = {"x_train": data.train_x, "y_train": data.train_y, "x_test": data.test_x}
    same = from_arrays("x", arrays(**floats, x_val=data.validation_x, y_val=data.validation_y, input_scale=0.5))
    assert same.input_dtype == data.input_dtype == IntType(8, False)
    assert np.array_equal(same.train_x, data.train_x)


def test_arrays_may_bring_images_for_validation() -> None:
    with_validation = arrays(x_val=np.full((2, 3, 4, 5), 7, np.uint8), y_val=np.array([3, 1]))
    data = from_arrays("x", with_validation)
    assert (data.encode(data.validation_x) == 7).all()
    assert (data.validation_y.tolist(), len(data.train_x), data.classes) == ([3, 1], 6, 4)
    assert len(from_arrays("x", arrays()).train_x) == 5
    with pytest.raises(DatasetError, match="has no 'x_val'; it has x_train"):
        from_arrays("x", arrays(y_val=np.array([3, 1])))
    with pytest.raises(DatasetError, match=r"x_val: \(3, 4, 4\) must be x_train's shape"):
        from_arrays("x", arrays(x_val=np.zeros((2, 3, 4, 4), np.uint8), y_val=np.array([0, 1])))


def test_arrays_may_be_sparse() -> None:
    images = np.zeros((6, 1, 2, 3), np.uint8)
    images[:, 0, 1, 2] = 3
    assert from_arrays("x", arrays(x_train=images, x_test=images[:3], sparse=1)).masks().sum() == 3
    assert from_arrays("x", arrays(x_train=images, x_test=images[:3])).masks().all()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"y_test": None}, "no 'y_test'; it has x_train, y_train, x_test"),
        ({"x_train": np.zeros(6)}, r"x_train: float64 \(6,\) must be numbers"),
        (
            {"x_train": np.full((6, 3, 4, 5), np.nan)},
            r"x_train\[0, 0, 0, 0\]: nan must be a finite number .* 360 of its 360",
        ),
        ({"x_test": np.zeros((3, 3, 4, 4), np.uint8)}, r"x_test: \(3, 4, 4\) must be x_train's shape, \(3, 4, 5\)"),
        ({"x_test": np.zeros((3, 3, 4, 5))}, "x_test: float64 must be float if and only if x_train is"),
        ({"y_train": np.zeros(5, int)}, r"y_train: int64 \(5,\) must be integers of shape \(6,\)"),
        ({"y_train": np.zeros((6, 1), int)}, r"y_train: int64 \(6, 1\) must be integers of shape"),
        ({"y_test": np.array([0, -1, 2])}, "y_test: -1 must be a class, 0 to 65535"),
        ({"y_train": np.zeros(6, int), "y_test": np.zeros(3, int)}, "classes: 1 must be 2 or more"),
        ({"x_train": np.full((6, 3, 4, 5), 300)}, "pixels need integers 0 to 300; 8 bits"),
        ({"sparse": 2}, r"sparse: array\(2\) must be 0 or 1"),
        ({"input_scale": -1.0}, r"input_scale: array\(-1.\) must be one positive number"),
        (
            {"x_train": np.full((6, 3, 4, 5), 0.3), "x_test": np.ones((3, 3, 4, 5)), "input_scale": 0.5},
            "does not divide",
        ),
    ],
)
def test_wrong_arrays_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        from_arrays("mine", arrays(**changes))


def random_integers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, shape)


def test_arrays_of_features_make_a_flat_data_set() -> None:
    labels = {"y_train": np.arange(6) % 2, "y_test": np.arange(3) % 2}
    data = from_arrays("mine", {"x_train": random_integers(6, 5), "x_test": random_integers(3, 1, 1, 5), **labels})
    assert (data.shape, data.flat, data.input_dtype) == ((1, 1, 5), True, IntType(8, False))
    x = {"x_train": random_integers(6, 5), "x_test": random_integers(3, 5)}
    with pytest.raises(DatasetError, match="sparse: 1 is for images"):
        from_arrays("mine", {**x, **labels, "sparse": np.array(1)})
