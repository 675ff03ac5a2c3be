"""A frame: the active sites of one image, each with its features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Frame:
    """Active sites of one image in raster order, each with its features.

    In a dense image every site is active; an empty frame has no site.

    Parameters
        height     rows of the image
        width      columns of the image
        sites      int64 ``[n, 2]`` of (y, x), ascending in y then x, without repeats
        features   int64 ``[n, channels]`` of decoded integers, one row per site
    """

    height: int
    width: int
    sites: np.ndarray
    features: np.ndarray

    def __post_init__(self) -> None:
        sites, features = np.asarray(self.sites, dtype=np.int64), np.asarray(self.features, dtype=np.int64)
        if sites.ndim != 2 or sites.shape[1] != 2:
            raise ValueError(f"frame sites must have shape [n, 2], not {sites.shape}")
        if features.ndim != 2 or len(features) != len(sites):
            raise ValueError(f"frame features must have shape [{len(sites)}, channels], not {features.shape}")
        raster = sites[:, 0] * self.width + sites[:, 1]
        inside = (sites >= 0).all() and (sites[:, 0] < self.height).all() and (sites[:, 1] < self.width).all()
        if not inside or (np.diff(raster) <= 0).any():
            raise ValueError(
                f"frame sites must lie inside {self.height}x{self.width}, in raster order, without repeats"
            )
        object.__setattr__(self, "sites", sites)
        object.__setattr__(self, "features", features)

    @property
    def channels(self) -> int:
        return self.features.shape[1]

    @property
    def mask(self) -> np.ndarray:
        """bool ``[height, width]``: which sites are active."""
        mask = np.zeros((self.height, self.width), dtype=bool)
        mask[self.sites[:, 0], self.sites[:, 1]] = True
        return mask

    @classmethod
    def from_dense(cls, image: np.ndarray, mask: np.ndarray | None = None) -> Frame:
        """The frame of an ``[height, width, channels]`` image.

        Parameters
            image      features of every site
            mask       bool ``[height, width]``, the active sites; None for all of them
        """
        height, width, _ = image.shape
        active = np.ones((height, width), dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
        sites = np.argwhere(active)
        return cls(height, width, sites, image[sites[:, 0], sites[:, 1]])

    def with_features(self, features: np.ndarray) -> Frame:
        """The same sites with other features, int64 ``[n, channels]``."""
        return Frame(self.height, self.width, self.sites, features)

    def to_dense(self) -> np.ndarray:
        """``[height, width, channels]``, zero at inactive sites."""
        image = np.zeros((self.height, self.width, self.channels), dtype=np.int64)
        image[self.sites[:, 0], self.sites[:, 1]] = self.features
        return image

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Frame)
            and (self.height, self.width) == (other.height, other.width)
            and np.array_equal(self.sites, other.sites)
            and np.array_equal(self.features, other.features)
        )

    __hash__ = None  # type: ignore[assignment]
