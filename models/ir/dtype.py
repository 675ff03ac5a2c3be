"""The interface of number formats: codes, and the integers that they stand for.

A *code* is what a wire or a memory carries: an unsigned integer below ``2**width``.
A *decoded* value is the exact integer all arithmetic is done in; a tensor's real value is
``scale * decoded``. The formats themselves are in ``formats``, a file each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np


class DType(ABC):
    """A number format.

    Parameters
        width      bits of a code
        signed     whether there are values below zero
    """

    kind: ClassVar[str]
    """The name of such formats before the width; a ``u`` before the name means unsigned."""
    widths: ClassVar[tuple[int, ...]]
    """The widths that a layer may take."""
    tapered: ClassVar[bool]
    """Whether values lie further apart the larger they are: sums are then rounded once, to the nearest of them."""

    width: int
    signed: bool

    @abstractmethod
    def __init__(self, width: int, signed: bool = True) -> None: ...

    @property
    @abstractmethod
    def min(self) -> int:
        """The least decoded value."""

    @property
    @abstractmethod
    def max(self) -> int:
        """The largest decoded value."""

    @property
    @abstractmethod
    def decoded_width(self) -> int:
        """Bits of a decoded value, with its sign bit when signed."""

    @property
    def guard_bits(self) -> int:
        """Fraction bits of the sum in an add, until the sum is rounded to the format."""
        return int(self.tapered)

    @property
    def headroom(self) -> int:
        """Octaves, rounded up, from the end of the values that lie a step apart to the largest value."""
        return 0

    @abstractmethod
    def values(self) -> np.ndarray:
        """Every decoded value, ascending."""

    @abstractmethod
    def nearest_value(self, decoded: np.ndarray) -> np.ndarray:
        """The representable value nearest to each decoded integer, ties upward."""

    @abstractmethod
    def round_doubled(self, doubled: np.ndarray) -> np.ndarray:
        """The nearest representable values, ties upward, of numbers given as twice the number, rounded down."""

    @abstractmethod
    def encode(self, decoded: np.ndarray) -> np.ndarray:
        """Codes of the representable values nearest to ``decoded``."""

    @abstractmethod
    def decode(self, codes: np.ndarray) -> np.ndarray:
        """The values of codes."""

    def __str__(self) -> str:
        return f"{'' if self.signed else 'u'}{self.kind}{self.width}"

    def _check(self, lowest: int, highest: int) -> None:
        name = type(self).__name__
        if not isinstance(self.width, int) or isinstance(self.width, bool):
            raise TypeError(f"{name} width must be an integer, not {self.width!r}")
        if not isinstance(self.signed, bool):
            raise TypeError(f"{name} signed must be a bool, not {self.signed!r}")
        if not lowest <= self.width <= highest:
            raise ValueError(f"{name} width must be {lowest} to {highest}, not {self.width}")

    def _checked(self, codes: np.ndarray) -> np.ndarray:
        codes = np.asarray(codes, dtype=np.int64)
        if codes.size and (codes.min() < 0 or codes.max() >= 1 << self.width):
            bad = codes[(codes < 0) | (codes >= 1 << self.width)].flat[0]
            raise ValueError(f"{self} codes are 0 to {(1 << self.width) - 1}, not {bad}")
        return codes
