"""CIFAR-10: every pixel's value in rationals, labels beside their images, and folders that hold something else."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.data import DatasetError, load
from models.data.cifar10 import DEVIATION, MEAN, SCALE, cifar10, normalized
from models.ir.node import Shape

FOLDER = DATA / "cifar10"


def test_every_level_is_the_nearest_multiple_of_the_scale() -> None:
    """The published mean and deviation, in rationals; the scale is what brings a blue of 255 to 127."""
    mean, deviation = ("0.485", "0.456", "0.406"), ("0.229", "0.224", "0.225")
    scale = (1 - Fraction(mean[2])) / Fraction(deviation[2]) / 127
    assert pytest.approx(float(scale), rel=1e-15) == SCALE
    levels = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None], (256, 3)).reshape(1, 16, 16, 3)
    x = normalized(levels)
    assert (x.shape, x.dtype) == ((1, 3, 16, 16), np.float32)
    steps = np.rint(x / SCALE).astype(int).reshape(3, 256)
    assert np.array_equal((steps * SCALE).astype(np.float32), x.reshape(3, 256))
    for channel in range(3):
        for level in range(256):
            exact = (Fraction(level, 255) - Fraction(mean[channel])) / Fraction(deviation[channel]) / scale
            assert abs(steps[channel, level] - exact) <= Fraction(1, 2)
    assert steps[2, 255] == 127


def grey(labels: np.ndarray) -> np.ndarray:
    """An image of one grey for each label."""
    return np.broadcast_to((25 * labels).astype(np.uint8)[:, None, None, None], (len(labels), 4, 5, 3))


def test_labels_stay_beside_their_images_in_an_order_of_their_own(tmp_path: Path) -> None:
    y = np.arange(60) % 10
    for name, count in (("train", 60), ("test_20", 20)):
        np.savez(tmp_path / f"{name}.npz", x=grey(y[:count]), y=y[:count])
    data = load(f"cifar10:{tmp_path}")
    assert (data.shape, data.classes, len(data.train_x), len(data.validation_x)) == (Shape(4, 5, 3), 10, 50, 10)
    for images, labels in ((data.train_x, data.train_y), (data.validation_x, data.validation_y)):
        expected = normalized(
            np.broadcast_to((25 * labels).astype(np.uint8)[:, None, None, None], (len(labels), 4, 5, 3))
        )
        assert np.array_equal(images, expected)
    assert sorted(data.test_y) == sorted(y[:20])
    assert data.test_y.tolist() != y[:20].tolist()


@pytest.mark.whole
@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no photographs in {FOLDER}")
def test_cifar10_is_normalized_and_on_the_grid() -> None:
    data = cifar10(FOLDER)
    assert data.shape == Shape(32, 32, 3)
    assert (len(data.train_x), len(data.validation_x), len(data.test_x)) == (2400, 600, 6000)
    with np.load(FOLDER / "test_6000.npz") as archive:
        pixels, labels = archive["x"], archive["y"]
    exact = ((pixels / 255 - np.array(MEAN)) / np.array(DEVIATION)).transpose(0, 3, 1, 2)
    # in any order, as long as it is no order by class
    order = {image.tobytes(): place for place, image in enumerate(np.rint(exact / SCALE).astype(np.int64))}
    places = [order[image.tobytes()] for image in data.encode(data.test_x)]
    assert sorted(places) == list(range(6000))
    assert np.array_equal(data.test_y, labels[places])
    assert np.abs(data.test_x - exact[places]).max() <= SCALE / 2 + 1e-6
    assert min(np.bincount(data.test_y[:200])) >= 8


def test_cifar10_names_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"must hold one train\*\.npz; there are none"):
        load(f"cifar10:{tmp_path}")
    np.savez(tmp_path / "train.npz", x=np.zeros((2, 4, 4), np.uint8), y=np.zeros(2, int))
    with pytest.raises(DatasetError, match=r"train\.npz, x: uint8 \(2, 4, 4\) must be uint8 \[n, H, W, 3\]"):
        load(f"cifar10:{tmp_path}")
