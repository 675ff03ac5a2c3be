"""A data set: labelled images whose values are integers times one scale, in three splits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.normalization import Normalization

SPLITS = ("train", "validation", "test")
CHECK_BATCH = 1024
"""Images that are checked at a time; a check of all at once would need several times their memory."""


class DatasetError(ValueError):
    """A data set that cannot be used; the message names data set, field, value and what would be valid."""


@dataclass(frozen=True)
class Augment:
    """Augmentation of training images.

    Parameters
        shift    largest translation in pixels
        rotate   largest rotation in degrees
        zoom     largest relative change of size
        flip     whether images are mirrored left to right at random
        nearest  whether pixels are resampled from the nearest pixel instead of interpolated, so that they stay integers
                 and inactive sites stay inactive
    """

    shift: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    flip: bool = False
    nearest: bool = False


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images float32 ``[n, C, H, W]`` and labels int64 ``[n]``, in three splits.

    Networks are trained on ``train``; formats, designs and everything else are chosen on ``validation``; ``test``
    measures the result. Every pixel is ``input_scale`` times an integer of ``input_dtype``.

    Parameters
        name           name of the data set in messages
        train_x        training images
        train_y        training labels
        validation_x   validation images
        validation_y   validation labels
        test_x         test images
        test_y         test labels
        classes        number of classes; labels are 0 to ``classes - 1``
        input_dtype    number format of the integers behind the pixels
        input_scale    real value of the integer 1
        augment        augmentation of training images
        sparse         whether a site is active only where a channel is not zero; in a dense data set every site is
        flat           whether images have one site, whose channels networks take as ``[n, features]``
        sequence       whether images have one row, which networks take as ``[n, C, L]``
        normalization  the affine map from the user's numbers to pixels; None where pixels are those numbers
        restored       whether networks take the user's numbers instead of pixels, where there is a normalization
        notes          sentences for the user about how the data were read
    """

    name: str
    train_x: np.ndarray
    train_y: np.ndarray
    validation_x: np.ndarray
    validation_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    classes: int
    input_dtype: IntType
    input_scale: float
    augment: Augment = Augment()
    sparse: bool = False
    flat: bool = False
    sequence: bool = False
    normalization: Normalization | None = None
    restored: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for split in SPLITS:
            self._check(split)
            x = self.split(split)[0]
            if x.shape[1:] != self.train_x.shape[1:]:
                raise self._error(f"{split}_x", x.shape[1:], f"must have train_x's shape, {self.train_x.shape[1:]}")
        if self.classes < 2:
            raise self._error("classes", self.classes, "must be 2 or more")
        if self.sparse and self.augment != Augment() and not self.augment.nearest:
            raise self._error("augment", self.augment, "must be nearest for sparse images, or it activates sites")
        if self.flat and (self.sparse or self.shape[:2] != (1, 1)):
            raise self._error("flat", True, f"is for dense images of one site; they are {self.shape}")
        if self.sequence and (self.sparse or self.flat or self.shape.height != 1):
            raise self._error("sequence", True, f"is for dense images of one row; they are {self.shape}")
        if self.normalization and len(self.normalization.unit) != self.shape.channels:
            count = f"{len(self.normalization.unit)} channels"
            raise self._error("normalization", count, f"must have train_x's channels, {self.shape.channels}")
        if self.normalization and self.sparse and any(self.normalization.offset):
            raise self._error("normalization.offset", self.normalization.offset, "must be 0 where images are sparse")

    def _check(self, split: str) -> None:
        x, y = self.split(split)
        if x.ndim != 4 or x.dtype != np.float32 or not len(x):
            raise self._error(f"{split}_x", f"{x.dtype} {x.shape}", "must be float32 [n, C, H, W] with n >= 1")
        if y.shape != (len(x),) or y.dtype.kind not in "iu":
            raise self._error(f"{split}_y", f"{y.dtype} {y.shape}", f"must be integers of shape ({len(x)},)")
        if y.min() < 0 or y.max() >= self.classes:
            raise self._error(f"{split}_y", f"{y.min()} to {y.max()}", f"must be 0 to {self.classes - 1}")
        for start in range(0, len(x), CHECK_BATCH):
            part = x[start : start + CHECK_BATCH]
            if not np.isfinite(part).all():
                first, *place = (int(i) for i in np.argwhere(~np.isfinite(part))[0])
                where = ", ".join(map(str, (start + first, *place)))
                raise self._error(f"{split}_x[{where}]", part[first, *place], "must be a finite number")
            self.encode(part)

    @property
    def shape(self) -> Shape:
        """Height, width and channels of one image."""
        channels, height, width = self.train_x.shape[1:]
        return Shape(height, width, channels)

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(images, labels) of the split called ``train``, ``validation`` or ``test``."""
        if name not in SPLITS:
            raise self._error("split", repr(name), f"must be {', '.join(SPLITS[:-1])} or {SPLITS[-1]}")
        return getattr(self, f"{name}_x"), getattr(self, f"{name}_y")

    def encode(self, x: np.ndarray) -> np.ndarray:
        """int64 of ``x``'s shape: the integers whose multiples the pixels are."""
        steps = np.asarray(x, dtype=np.float64) / self.input_scale
        integers = np.rint(steps)
        off = np.abs(steps - integers) > 1e-3
        if off.any():
            raise self._error("input_scale", self.input_scale, f"does not divide every pixel, {x[off].flat[0]!r}")
        low, high = self.input_dtype.min, self.input_dtype.max
        if integers.min() < low or integers.max() > high:
            need = f"{int(integers.min())} to {int(integers.max())}"
            raise self._error("input_dtype", self.input_dtype, f"holds {low} to {high}; the pixels need {need}")
        return integers.astype(np.int64)

    def masks(self, split: str = "test", count: int | None = None) -> np.ndarray:
        """bool ``[count, H, W]``: the active sites of the first ``count`` images of a split."""
        images = self.split(split)[0][:count]
        if self.sparse:
            return (images != 0).any(axis=1)
        return np.ones((len(images), *images.shape[2:]), dtype=bool)

    def sample(self, split: str, count: int) -> list[np.ndarray]:
        """The active sites of at most ``count`` images, evenly spread over a split."""
        masks = self.masks(split)
        return list(masks[:: -(-len(masks) // count)])

    def frames(self, split: str = "test", count: int | None = None) -> list[Frame]:
        """The first ``count`` images of a split as frames of integers, of their active sites."""
        images = self.encode(self.split(split)[0][:count])
        masks = self.masks(split, count)
        return [Frame.from_dense(image.transpose(1, 2, 0), mask) for image, mask in zip(images, masks, strict=True)]

    def _error(self, field: str, value: object, why: str) -> DatasetError:
        return DatasetError(f"data set {self.name!r}, {field}: {value} {why}")
