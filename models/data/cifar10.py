"""``cifar10``: photographs of 32 x 32 pixels in ten classes, or a part of them. (Krizhevsky 2009.)

The folder holds ``train*.npz`` and ``test*.npz``, one of each, with ``x`` uint8 ``[n, 32, 32, 3]`` and ``y``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.data.dataset import Augment, Dataset, DatasetError
from models.data.folder import folder_of
from models.data.held_out import held_out
from models.ir.files import read_npz
from models.ir.formats.integer import IntType

FOLDER = "cifar10"
CLASSES = 10
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
INPUT = IntType(8)
SCALE = (1 - MEAN[2]) / DEVIATION[2] / INPUT.max
"""Brings the largest normalized value there can be, blue's, to the largest integer."""


def cifar10(folder: str | Path | None = None) -> Dataset:
    """The data set in ``folder``, or in ``cifar10`` of the folder that the variable NETWEAVE_DATA names.

    Pixels of 0 to 1 less their channel's mean, over its deviation, as published networks take them, rounded to int8
    times one scale: a step of 0.021, where a pixel's own is 0.017. They are not the bytes themselves with mean and
    deviation in the first convolution, as what lies beyond an image's edge is zero after normalization, not before.
    Images of either split come in an order drawn once.
    """
    root = folder_of("cifar10", folder)
    (train_x, train_y), (test_x, test_y) = _read(root, "train"), _read(root, "test")
    return Dataset(
        "cifar10",
        *held_out(normalized(train_x), train_y),
        normalized(test_x),
        test_y,
        classes=CLASSES,
        input_dtype=INPUT,
        input_scale=SCALE,
        augment=Augment(shift=4.0, flip=True, nearest=True),
    )


def normalized(pixels: np.ndarray) -> np.ndarray:
    """float32 ``[n, 3, H, W]``, multiples of ``SCALE``, of uint8 ``[n, H, W, 3]``."""
    levels = np.arange(256)[:, None] / 255
    steps = np.rint((levels - MEAN) / DEVIATION / SCALE)
    table = (np.clip(steps, INPUT.min, INPUT.max) * SCALE).astype(np.float32)
    return np.stack([table[pixels[..., channel], channel] for channel in range(3)], axis=1)


def _read(root: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    paths = sorted(root.glob(f"{split}*.npz"))
    if len(paths) != 1:
        names = ", ".join(path.name for path in paths) or "none"
        raise DatasetError(f"data set 'cifar10': {root} must hold one {split}*.npz; there are {names}")
    try:
        archive = read_npz(paths[0])
        x, y = archive["x"], archive["y"]
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"data set 'cifar10': {paths[0]} is no npz file with x and y: {error}") from error
    if x.ndim != 4 or x.shape[3] != 3 or x.dtype != np.uint8 or not len(x):
        valid = "uint8 [n, H, W, 3], n >= 1"
        raise DatasetError(f"data set 'cifar10': {paths[0]}, x: {x.dtype} {x.shape} must be {valid}")
    if y.shape != (len(x),) or y.dtype.kind not in "iu":
        valid = f"integers of shape ({len(x)},)"
        raise DatasetError(f"data set 'cifar10': {paths[0]}, y: {y.dtype} {y.shape} must be {valid}")
    # files may be sorted by class, and the first images of a split stand for all; RandomState's stream never changes
    shuffled = np.random.RandomState(0).permutation(len(x))
    return x[shuffled], y[shuffled].astype(np.int64)
