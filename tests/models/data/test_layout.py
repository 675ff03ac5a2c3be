"""How the axes of arrays are read: as images, as features, or not at all."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from models.data import DatasetError, load
from models.data.arrays import from_arrays
from models.data.layout import images_of
from models.ir.formats.integer import IntType


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, shape)


@pytest.mark.parametrize("shape", [(6, 16), (6, 1, 16), (6, 1, 1, 16)])
def test_features_are_the_channels_of_one_site(shape: tuple[int, ...]) -> None:
    x = numbers(*shape)
    read, flat, notes = images_of("mine", "x_train", x)
    assert (read.shape, flat) == ((6, 16, 1, 1), True)
    assert np.array_equal(read.reshape(6, 16), x.reshape(6, 16))
    assert bool(notes) == (len(shape) > 2), "what the shape does not say by itself is said"
    for note in notes:
        assert f"shape {shape} is read as 16 features of one site" in note
        assert "give x_train.reshape(-1, 1, 16, 1)" in note


def test_what_a_note_suggests_for_a_row_of_sites_is_read_as_such() -> None:
    read, flat, notes = images_of("mine", "x_train", numbers(6, 1, 1, 16).reshape(-1, 1, 16, 1))
    assert (read.shape, flat, notes) == ((6, 1, 16, 1), False, ())


@pytest.mark.parametrize("shape", [(6, 3, 32, 32), (6, 8, 8), (6, 16, 1, 1), (6, 3, 4, 5), (6, 64, 4, 4), (6, 1, 8, 3)])
def test_images_are_taken_as_they_are(shape: tuple[int, ...]) -> None:
    x = numbers(*shape)
    read, flat, notes = images_of("mine", "x_train", x)
    assert (flat, notes) == (False, ())
    assert np.array_equal(read, x[:, None] if x.ndim == 3 else x)


@pytest.mark.parametrize("shape", [(6, 32, 32, 3), (6, 28, 28, 1), (6, 8, 8, 4)])
def test_channels_last_are_refused_with_what_to_give(shape: tuple[int, ...]) -> None:
    x = numbers(*shape)
    why = (
        rf"'mine', x_test: shape {re.escape(str(shape))} looks like channels last; give x_test\.transpose\(0, 3, 1, 2\)"
    )
    with pytest.raises(DatasetError, match=why):
        images_of("mine", "x_test", x)
    read, flat, _ = images_of("mine", "x_test", x.transpose(0, 3, 1, 2))
    assert (read.shape, flat) == ((6, shape[3], *shape[1:3]), False)


@pytest.mark.parametrize("value, says", [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf"), (1e300, r"1e\+300")])
def test_a_number_that_is_not_finite_is_named_with_its_place(value: float, says: str) -> None:
    x = np.random.default_rng(0).normal(size=(6, 3))
    x[4, 2] = value
    with pytest.raises(DatasetError, match=rf"data set 'my\.npz', x_val\[4, 2\]: {says} must be a finite number of at"):
        images_of("my.npz", "x_val", x)
    x[5] = value
    with pytest.raises(DatasetError, match=r"x_val\[4, 2\]: .*; 4 of its 18 values are not"):
        images_of("my.npz", "x_val", x)


def test_a_data_set_of_ones_own_with_nan_is_refused_with_its_place() -> None:
    digits = load("digits")
    x = digits.test_x.copy()
    x[1, 0, 3, 4] = np.nan
    with pytest.raises(DatasetError, match=r"test_x\[1, 0, 3, 4\]: nan must be a finite number"):
        replace(digits, test_x=x)
    with pytest.raises(DatasetError, match=r"flat: True is for dense images of one site; they are 8x8x1"):
        replace(digits, flat=True)


def test_arrays_of_features_make_a_flat_data_set() -> None:
    labels = {"y_train": np.arange(6) % 2, "y_test": np.arange(3) % 2}
    data = from_arrays("mine", {"x_train": numbers(6, 5), "x_test": numbers(3, 1, 1, 5), **labels})
    assert (data.shape, data.flat, data.input_dtype) == ((1, 1, 5), True, IntType(8, False))
    with pytest.raises(DatasetError, match="sparse: 1 is for images"):
        from_arrays("mine", {"x_train": numbers(6, 5), "x_test": numbers(3, 5), **labels, "sparse": np.array(1)})
