"""What tapered formats share: sign and magnitude, and a table of the magnitudes."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from models.ir.dtype import DType


class TaperedType(DType):
    """A format whose values lie further apart the larger they are.

    Signed codes are sign and magnitude; minus zero decodes to 0 and is never encoded. A number is rounded once, to the
    nearest value, ties upward as for integers. Rounding it to a whole number of steps first would put too many numbers
    on the midpoint of two values that lie several steps apart.
    """

    tapered: ClassVar[bool] = True

    @property
    @abstractmethod
    def magnitudes(self) -> np.ndarray:
        """Decoded magnitude of each magnitude code, ascending with the code, in steps; the first are 0 and 1."""

    @property
    def magnitude_bits(self) -> int:
        return self.width - self.signed

    @property
    def max(self) -> int:
        return int(self.magnitudes[-1])

    @property
    def min(self) -> int:
        return -self.max if self.signed else 0

    @property
    def decoded_width(self) -> int:
        return self.max.bit_length() + self.signed

    def values(self) -> np.ndarray:
        table = self.magnitudes
        return np.concatenate([-table[:0:-1], table]) if self.signed else table.copy()

    def nearest_value(self, decoded: np.ndarray) -> np.ndarray:
        return self.decode(self.encode(decoded))

    def round_doubled(self, doubled: np.ndarray) -> np.ndarray:
        return self.decode(self.encode_doubled(doubled))

    def encode(self, decoded: np.ndarray) -> np.ndarray:
        return self.encode_doubled(2 * np.asarray(decoded, dtype=np.int64))

    def encode_doubled(self, doubled: np.ndarray) -> np.ndarray:
        """Codes of the values that ``round_doubled`` gives."""
        doubled = np.asarray(doubled, dtype=np.int64)
        table = self.magnitudes
        # of a negative number the complement: it lies below twice its magnitude, so that a tie stays below, too
        magnitude = np.where(doubled < 0, ~doubled, doubled) if self.signed else np.maximum(doubled, 0)
        code = np.searchsorted(table[:-1] + table[1:], magnitude, side="right")
        negative = (doubled < 0) & (code > 0) & self.signed
        return code | (negative.astype(np.int64) << self.magnitude_bits)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        codes = self._checked(codes)
        magnitude = self.magnitudes[codes & ((1 << self.magnitude_bits) - 1)]
        if not self.signed:
            return magnitude
        return np.where(codes >> self.magnitude_bits, -magnitude, magnitude)
