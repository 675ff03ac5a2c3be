"""Input formats of floats: one scale where it serves, else one for each channel, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from models.data import Dataset, DatasetError
from models.data.arrays import from_arrays
from models.data.quantization import MIN_LEVELS
from models.ir.formats.integer import IntType
from models.ir.ops.input import Input

RANGES = np.array([1e-4, 1.0, 1e3, 1e6])
OFFSETS = np.array([0.0, 2000.0, 0.0, -5e6])


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape)


def data_of(x: np.ndarray, test: np.ndarray | None = None, **keys: float) -> Dataset:
    test = x[: len(x) // 3] if test is None else test
    labels = {"y_train": np.arange(len(x)) % 3, "y_test": np.arange(len(test)) % 3}
    return from_arrays("mine", {"x_train": x, "x_test": test, **labels, **{k: np.array(v) for k, v in keys.items()}})


def levels(data: Dataset) -> list[int]:
    """How many integers each channel has in the training split."""
    return [len(np.unique(data.encode(data.train_x)[:, c])) for c in range(data.shape.channels)]


def source(data: Dataset) -> Input:
    affine = data.normalization
    offset, unit = (affine.offset, affine.unit) if affine else ((), ())
    return Input(
        name="input", shape=data.shape, dtype=data.input_dtype, scale=data.input_scale, offset=offset, unit=unit
    )


def test_features_alike_keep_one_scale() -> None:
    x = normal(600, 4)
    data = data_of(x)
    assert (data.normalization, data.notes) == (None, ())
    assert data.input_scale == pytest.approx(np.abs(x).max() / 127)
    assert np.abs(data.test_x[:, :, 0, 0] - x[:200]).max() <= 0.5001 * data.input_scale


def test_one_outlier_costs_the_others_nothing() -> None:
    x = normal(600, 4)
    before = levels(data_of(x))
    x[7, 2] = 1e6
    data = data_of(x)
    assert data.normalization is None
    assert all(now >= 0.9 * then for now, then in zip(levels(data), before, strict=True))
    (note,) = data.notes
    assert note.startswith("x_train, feature 2: 99.9 % of the values lie within ±3.")
    assert "the largest is 1e+06; at a scale of 8 bits that holds it they would use 1 of 256 levels" in note


def test_a_percentile_of_100_keeps_an_outlier_and_says_what_it_costs() -> None:
    x = normal(600, 4)
    x[7, 2] = 1e6
    data = data_of(x, percentile=100)
    assert levels(data)[2] == 2
    assert "x_train, feature 2: 99 % of the values lie within ±2." in data.notes[-1]
    assert "at its scale of 8 bits 1 of 256 levels are used; percentile = 99 clips what lies further" in data.notes[-1]


def test_a_percentile_clips_what_lies_beyond_it() -> None:
    x = normal(4000, 1, 2, 2)
    reach = np.quantile(np.abs(x), 0.9)
    data = data_of(x, percentile=90)
    real = data.train_x.max()
    assert real == pytest.approx(reach, rel=0.01)
    assert (data.train_x == real).mean() == pytest.approx(0.05, abs=0.01)


def test_features_of_different_ranges_have_scales_and_offsets_of_their_own() -> None:
    x = normal(600, 4) * RANGES + OFFSETS
    data = data_of(x)
    assert min(levels(data)) > MIN_LEVELS
    assert (
        "at one scale of 8 bits feature 0 would use 1, feature 1 would use 1 and feature 2 would use 1" in data.notes[0]
    )
    # what the integers stand for is within half a step of what was given
    decoded = data.normalization.offset + data.test_x[:, :, 0, 0] * np.array(data.normalization.unit)  # type: ignore[union-attr]
    half = 0.5 * data.input_scale * np.array(data.normalization.unit)  # type: ignore[union-attr]
    assert (np.abs(decoded - x[:200]) <= 1.001 * half + 1e-6 * np.abs(x[:200])).all()
    # and a host makes the integers of the numbers by the input node alone
    frames = np.stack([frame.to_dense() for frame in data.frames("test")])
    assert np.array_equal(source(data).encode(x[:200, None, None, :]), frames)


def test_an_images_channels_have_scales_of_their_own_and_keep_their_zero() -> None:
    x = np.random.default_rng(0).random((40, 3, 6, 6)) * np.array([1, 100, 1e4])[:, None, None]
    x[:, :, 0, 0] = 0
    data = data_of(x)
    assert data.normalization is not None
    assert data.normalization.offset == (0, 0, 0)
    assert not data.train_x[:, :, 0, 0].any(), "zero padding stands for the number zero"
    assert (data.input_dtype, min(levels(data)) > 200) == (IntType(8, False), True)


def test_numbers_that_no_network_trains_on_are_scaled() -> None:
    data = data_of(normal(600, 4) * 1e30)
    assert np.abs(data.train_x).max() <= 4
    assert "x_train: the values reach 3" in data.notes[0]
    assert "e+30; each feature has its own scale" in data.notes[0]


def test_a_tables_integers_beyond_8_bits_are_rounded_as_floats_are() -> None:
    ages = 18 + np.arange(600)[:, None] % 72
    x = np.concatenate([ages, 1000 * ages + 7], axis=1)
    data = data_of(x)
    assert data.notes[0] == f"x_train: integers 18 to {x.max()} do not fit 8 bits, and are rounded as floats are"
    assert "feature 0 would use 1 of 256 levels; each feature has its own scale" in data.notes[1]
    assert levels(data) == [len(np.unique(ages))] * 2
    assert np.array_equal(data.train_x, data_of(x.astype(np.float64)).train_x)


def test_what_does_not_vary_is_named() -> None:
    x = np.concatenate([normal(600, 2), np.full((600, 1), 7.5)], axis=1)
    assert data_of(x).notes[0] == "x_train: feature 2 is 7.5 throughout, which tells no class from another"
    counts = np.random.default_rng(0).integers(0, 9, (12, 2, 4, 4))
    counts[:, 1] = 0
    assert data_of(counts).notes == ("x_train: channel 1 is 0 throughout, which tells no class from another",)


def test_a_channel_far_from_zero_is_named() -> None:
    x = np.random.default_rng(0).random((40, 2, 4, 4)) + np.array([0, 300])[:, None, None]
    note = data_of(x).notes[-1]
    assert note.startswith("x_train, channel 1: the values lie from 300 to 301, far from zero")
    assert "at its scale of 8 bits 1 of 256 levels are used; give them less their mean" in note


@pytest.mark.parametrize("small", [1e-4, 1e-6])
def test_small_numbers_are_on_no_grid_that_makes_them_one(small: float) -> None:
    x = normal(600, 3) * small
    assert min(levels(data_of(x))) > MIN_LEVELS
    assert min(levels(data_of(1 + x))) > MIN_LEVELS


def test_tests_beyond_the_training_split_are_clipped_and_counted() -> None:
    x = normal(600, 4)
    data = data_of(x, test=3 * x[:200])
    assert np.abs(data.test_x).max() <= np.abs(x).max() * 129 / 127
    (note,) = data.notes
    assert note.startswith("x_test: ")
    assert "of its values lie beyond what x_train's need, and are clipped" in note


@pytest.mark.parametrize(
    "x, keys, message",
    [
        (normal(30, 4), {"percentile": 0}, r"percentile: array\(0\) must be one number above 0, and at most 100"),
        (normal(30, 4), {"percentile": 101}, r"percentile: array\(101\) must be one number above 0, and at most 100"),
        (np.round(normal(30, 4)), {"percentile": 99, "input_scale": 1}, "percentile: 99 .* input_scale is given"),
        (np.arange(120).reshape(30, 4), {"percentile": 99}, "percentile: 99 .* integers are taken as they are"),
        (np.arange(480).reshape(30, 4, 2, 2), {}, "integers 0 to 479; 8 bits is the limit; floats are rounded to it"),
    ],
)
def test_wrong_keys_are_named(x: np.ndarray, keys: dict[str, float], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        data_of(x, None, **keys)
