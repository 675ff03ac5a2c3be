"""``resized``: the images of a sparse data set, summed over blocks of pixels to a smaller size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.data.dataset import Dataset, DatasetError


def resized(data: Dataset, side: int) -> Dataset:
    """The data set with images of ``side`` rows, and columns in proportion; a pixel is the sum of the block it covers.

    Each pixel belongs to one block. Where the sizes do not divide, some blocks are one row or column larger than
    others. Sums are clipped to the data set's input format.

    Parameters
        data  a sparse data set
        side  rows of the smaller images
    """
    height, width, _ = data.shape
    if not data.sparse:
        raise DatasetError(f"data set {data.name!r}: is dense; only the counts of a sparse one can be summed")
    if not 1 <= side <= height:
        raise DatasetError(f"data set {data.name!r}, side: {side} must be 1 to {height}, its own")
    columns = max(1, round(width * side / height))
    rows = np.arange(side) * height // side
    places = np.arange(columns) * width // columns

    def summed(images: np.ndarray) -> np.ndarray:
        sums = np.add.reduceat(np.add.reduceat(data.encode(images), rows, axis=2), places, axis=3)
        counts = np.clip(sums, data.input_dtype.min, data.input_dtype.max)
        return counts.astype(np.float32) * np.float32(data.input_scale)

    return replace(
        data,
        name=f"{data.name}@{side}",
        train_x=summed(data.train_x),
        validation_x=summed(data.validation_x),
        test_x=summed(data.test_x),
        augment=replace(data.augment, shift=data.augment.shift * side / height),
    )
