"""Integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.dtype import DType


@dataclass(frozen=True)
class IntType(DType):
    """Two's complement or unsigned integer; a code's decoded value is the integer.

    Parameters
        width      2 to 8 bits on tensors, up to 64 for accumulators
        signed     whether the format is two's complement
    """

    kind: ClassVar[str] = "int"
    widths: ClassVar[tuple[int, ...]] = tuple(range(2, 9))
    tapered: ClassVar[bool] = False

    width: int
    signed: bool = True

    def __post_init__(self) -> None:
        self._check(2, 64)

    @classmethod
    def narrowest(cls, low: int, high: int) -> IntType:
        """The narrowest format that holds a range; unsigned where nothing in it is below 0."""
        signed = low < 0
        bits = max(high.bit_length(), (-low - 1).bit_length() if signed else 0)
        return cls(max(2, bits + signed), signed)

    @property
    def min(self) -> int:
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        return (1 << (self.width - self.signed)) - 1

    @property
    def decoded_width(self) -> int:
        return self.width

    def values(self) -> np.ndarray:
        if self.width > 16:
            raise ValueError(f"{self} has too many values to list; 16 bits is the limit")
        return np.arange(self.min, self.max + 1, dtype=np.int64)

    def nearest_value(self, decoded: np.ndarray) -> np.ndarray:
        return np.clip(np.asarray(decoded, dtype=np.int64), self.min, self.max)

    def round_doubled(self, doubled: np.ndarray) -> np.ndarray:
        return self.nearest_value((np.asarray(doubled, dtype=np.int64) + 1) >> 1)

    def encode(self, decoded: np.ndarray) -> np.ndarray:
        return self.nearest_value(decoded) & ((1 << self.width) - 1)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        codes = self._checked(codes)
        if not self.signed:
            return codes
        sign = 1 << (self.width - 1)
        return (codes ^ sign) - sign
