"""``Normalization``: the real numbers behind the pixels of an input whose channels differ in range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Normalization:
    """Channel by channel, ``pixel = (real - offset) / unit``; a pixel is an input's scale times an integer.

    Parameters
        offset     of every channel, the real number whose pixel is 0
        unit       of every channel, the real numbers between pixel 0 and pixel 1, above 0
    """

    offset: tuple[float, ...]
    unit: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.offset) != len(self.unit):
            raise ValueError(f"{len(self.offset)} offsets and {len(self.unit)} units: must be one each a channel")
        if not np.isfinite([*self.offset, *self.unit]).all() or min(self.unit, default=1.0) <= 0:
            raise ValueError(f"offset {self.offset}, unit {self.unit}: must be finite, and units above 0")

    def pixels(self, real: np.ndarray) -> np.ndarray:
        """float64 pixels of ``real`` [..., channels]."""
        return (np.asarray(real, np.float64) - self.offset) / self.unit
