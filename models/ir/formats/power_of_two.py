"""Powers of two: a product is a shift."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.formats.tapered import TaperedType


@dataclass(frozen=True)
class PowerType(TaperedType):
    """Zero and powers of two: magnitude code ``c`` above 0 stands for ``2**(c - 1)`` steps.

    Parameters
        width      3 or 4 bits
        signed     whether the first bit is a sign
    """

    kind: ClassVar[str] = "pot"
    widths: ClassVar[tuple[int, ...]] = (3, 4)

    width: int
    signed: bool = True

    def __post_init__(self) -> None:
        self._check(3, 4)

    @property
    def headroom(self) -> int:
        # the first three magnitudes, 0, 1 and 2, lie a step apart
        return (1 << self.magnitude_bits) - 3

    @property
    def magnitudes(self) -> np.ndarray:
        return _magnitudes(1 << self.magnitude_bits)


@functools.cache
def _magnitudes(count: int) -> np.ndarray:
    result = np.append(0, 1 << np.arange(count - 1, dtype=np.int64))
    result.setflags(write=False)
    return result
