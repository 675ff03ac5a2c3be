"""A data set's active sites, its frames, and pixels that it cannot hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.data import Augment, Dataset, DatasetError, load
from models.data.dataset import SPLITS
from models.ir.formats.integer import IntType


def sparse_data(**changes: object) -> Dataset:
    rng = np.random.default_rng(0)
    x = (rng.integers(1, 8, (12, 2, 5, 6)) * (rng.random((12, 2, 5, 6)) < 0.2) / 4).astype(np.float32)
    y = np.arange(12) % 3
    base = Dataset("some", x, y, x[:3], y[:3], x[:5], y[:5], 3, IntType(3, False), 0.25, sparse=True)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_a_sparse_site_is_active_where_a_channel_is_not_zero() -> None:
    data = sparse_data()
    for split in SPLITS:
        images, masks = data.split(split)[0], data.masks(split)
        assert masks.dtype == bool
        for image, mask, frame in zip(images, masks, data.frames(split), strict=True):
            active = [(y, x) for y in range(5) for x in range(6) if image[0, y, x] or image[1, y, x]]
            assert frame.sites.tolist() == [list(site) for site in active] == np.argwhere(mask).tolist()
            assert frame.features.tolist() == [[round(4 * v) for v in image[:, y, x].tolist()] for y, x in active]
    assert len(data.masks("train", 3)) == len(data.frames("train", 3)) == 3
    dense = replace(data, sparse=False)
    assert dense.masks().all()
    assert all(len(frame.sites) == 30 for frame in dense.frames())


def test_frames_hold_the_integers_behind_the_pixels() -> None:
    data = load("digits")
    frames = data.frames("test", 3)
    for frame, image in zip(frames, data.test_x, strict=False):
        assert np.array_equal(frame.to_dense()[:, :, 0] / 16, image[0])
    assert len(data.frames("train")) == len(data.train_x)
    with pytest.raises(DatasetError, match="split: 'dev' must be train, validation or test"):
        data.frames("dev")


def test_sparse_images_may_only_move_by_whole_pixels() -> None:
    sparse_data(augment=Augment(shift=1, nearest=True))
    with pytest.raises(DatasetError, match=r"augment: .* must be nearest for sparse images"):
        sparse_data(augment=Augment(shift=1))


def test_a_data_set_of_ones_own_with_nan_is_refused_with_its_place() -> None:
    digits = load("digits")
    x = digits.test_x.copy()
    x[1, 0, 3, 4] = np.nan
    with pytest.raises(DatasetError, match=r"test_x\[1, 0, 3, 4\]: nan must be a finite number"):
        replace(digits, test_x=x)
    with pytest.raises(DatasetError, match=r"flat: True is for dense images of one site; they are 8x8x1"):
        replace(digits, flat=True)
