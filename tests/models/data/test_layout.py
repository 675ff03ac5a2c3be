"""How the axes of arrays are read: as images, as features, or not at all."""

from __future__ import annotations

import re

import numpy as np
import pytest

from models.data import DatasetError
from models.data.layout import images_of


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


def test_sequences_are_images_of_one_row() -> None:
    for shape, rows in (((6, 3, 16), (6, 3, 1, 16)), ((6, 16), (6, 1, 1, 16)), ((6, 1, 16), (6, 1, 1, 16))):
        x = numbers(*shape)
        read, flat, notes = images_of("mine", "x_train", x, sequence=True)
        assert (read.shape, flat, notes) == (rows, False, ())
        assert np.array_equal(read.ravel(), x.ravel())
    with pytest.raises(DatasetError, match=r"x_train: int64 \(6, 3, 4, 5\) must be numbers \[n, C, L\] or \[n, L\]"):
        images_of("mine", "x_train", numbers(6, 3, 4, 5), sequence=True)


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
