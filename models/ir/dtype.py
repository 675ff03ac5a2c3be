"""Number formats: integers and DyBit, each as codes (bit patterns) and decoded integers.

A *code* is what a wire or a memory carries: an unsigned integer below ``2**width``.
A *decoded* value is the exact integer all arithmetic is done in; a tensor's real value is
``scale * decoded``. ``IntType`` decodes to itself. ``DyBitType`` decodes to multiples of its
smallest step, so DyBit arithmetic is integer arithmetic too.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import numpy as np


def _check_width(kind: str, width: int, signed: bool, lo: int, hi: int) -> None:
    if not isinstance(width, int) or isinstance(width, bool):
        raise TypeError(f"{kind} width must be an integer, not {width!r}")
    if not isinstance(signed, bool):
        raise TypeError(f"{kind} signed must be a bool, not {signed!r}")
    if not lo <= width <= hi:
        raise ValueError(f"{kind} width must be {lo} to {hi}, not {width}")


@dataclass(frozen=True)
class IntType:
    """Two's complement (or unsigned) integer: 2 to 8 bits on tensors, up to 64 for accumulators."""

    width: int
    signed: bool = True

    def __post_init__(self) -> None:
        _check_width("IntType", self.width, self.signed, 2, 64)

    @property
    def min(self) -> int:
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        return (1 << (self.width - self.signed)) - 1

    @property
    def decoded_width(self) -> int:
        """Bits of a decoded value."""
        return self.width

    @property
    def guard_bits(self) -> int:
        """Bits below a step that the sum of an add keeps until it is rounded to the format."""
        return 0

    def values(self) -> np.ndarray:
        """Every decoded value, ascending."""
        if self.width > 16:
            raise ValueError(f"{self} has too many values to list; 16 bits is the limit")
        return np.arange(self.min, self.max + 1, dtype=np.int64)

    def nearest(self, decoded: np.ndarray) -> np.ndarray:
        """The representable integer nearest to each decoded integer: saturation."""
        return np.clip(np.asarray(decoded, dtype=np.int64), self.min, self.max)

    def rounded(self, halves: np.ndarray) -> np.ndarray:
        """The representable integer nearest to numbers of which ``halves`` are twice, rounded down; ties upward."""
        return self.nearest((np.asarray(halves, dtype=np.int64) + 1) >> 1)

    def encode(self, decoded: np.ndarray) -> np.ndarray:
        """Codes of the representable values nearest to ``decoded``."""
        return self.nearest(decoded) & ((1 << self.width) - 1)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        codes = _check_codes(self, codes)
        if not self.signed:
            return codes
        sign = 1 << (self.width - 1)
        return (codes ^ sign) - sign

    def __str__(self) -> str:
        return f"{'' if self.signed else 'u'}int{self.width}"


@dataclass(frozen=True)
class DyBitType:
    """DyBit: a tapered format, the run of leading ones moving precision to range.

    With ``m`` magnitude bits (``width``, less the sign bit when signed), a magnitude code with
    ``i`` leading ones stands for, in steps of ``2**-(m-1)``:

    - ``i == 0``: the code itself;
    - ``0 < i < m``, the ``m-1-i`` bits after the closing zero being ``f``:
      ``2**(2*i-1) * (2**(m-1-i) + f)``;
    - ``i == m``: ``4**(m-1)``.

    Signed codes are sign and magnitude; minus zero decodes to 0 and is never encoded. Numbers are rounded to the
    nearest value once, ties upward as integers': a sum that were rounded to a whole number of steps first would find
    itself in the middle of two values, which lie several steps apart, too often.
    Source: DyBit (arXiv 2302.12510), as published; this is its one definition here.
    """

    width: int
    signed: bool = True

    def __post_init__(self) -> None:
        _check_width("DyBitType", self.width, self.signed, 2, 8)

    @property
    def magnitude_bits(self) -> int:
        return self.width - self.signed

    @property
    def max(self) -> int:
        return 4 ** (self.magnitude_bits - 1)

    @property
    def min(self) -> int:
        return -self.max if self.signed else 0

    @property
    def decoded_width(self) -> int:
        """Bits of a decoded value, with its sign bit when signed."""
        return self.max.bit_length() + self.signed

    @property
    def magnitudes(self) -> np.ndarray:
        """Decoded magnitude of each magnitude code, ascending with the code."""
        return _dybit_magnitudes(self.magnitude_bits)

    @property
    def guard_bits(self) -> int:
        """Bits below a step that the sum of an add keeps until it is rounded to the format."""
        return 1

    def values(self) -> np.ndarray:
        """Every decoded value, ascending."""
        table = self.magnitudes
        return np.concatenate([-table[:0:-1], table]) if self.signed else table.copy()

    def nearest(self, decoded: np.ndarray) -> np.ndarray:
        """The representable value nearest to each decoded integer, ties upward."""
        return self.decode(self.encode(decoded))

    def rounded(self, halves: np.ndarray) -> np.ndarray:
        """The representable value nearest to numbers of which ``halves`` are twice, rounded down; ties upward."""
        return self.decode(self.encode_halves(halves))

    def encode(self, decoded: np.ndarray) -> np.ndarray:
        """Codes of the representable values nearest to ``decoded``, ties upward."""
        return self.encode_halves(2 * np.asarray(decoded, dtype=np.int64))

    def encode_halves(self, halves: np.ndarray) -> np.ndarray:
        """Codes of what ``rounded`` gives."""
        halves = np.asarray(halves, dtype=np.int64)
        table = self.magnitudes
        # of a negative number the complement: it lies below twice its magnitude, so that a tie stays below, too
        wanted = np.where(halves < 0, ~halves, halves) if self.signed else np.maximum(halves, 0)
        code = np.searchsorted(table[:-1] + table[1:], wanted, side="right")
        negative = (halves < 0) & (code > 0) & self.signed
        return code | (negative.astype(np.int64) << self.magnitude_bits)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        codes = _check_codes(self, codes)
        magnitude = self.magnitudes[codes & ((1 << self.magnitude_bits) - 1)]
        if not self.signed:
            return magnitude
        return np.where(codes >> self.magnitude_bits, -magnitude, magnitude)

    def __str__(self) -> str:
        return f"{'' if self.signed else 'u'}dybit{self.width}"


DType = IntType | DyBitType


def _check_codes(dtype: DType, codes: np.ndarray) -> np.ndarray:
    codes = np.asarray(codes, dtype=np.int64)
    if codes.size and (codes.min() < 0 or codes.max() >= 1 << dtype.width):
        bad = codes[(codes < 0) | (codes >= 1 << dtype.width)].flat[0]
        raise ValueError(f"{dtype} codes are 0 to {(1 << dtype.width) - 1}, not {bad}")
    return codes


@functools.cache
def _dybit_magnitudes(bits: int) -> np.ndarray:
    table = []
    for code in range(1 << bits):
        ones = bits - ((~code) & ((1 << bits) - 1)).bit_length()
        if ones == 0:
            table.append(code)
        elif ones == bits:
            table.append(4 ** (bits - 1))
        else:
            rest = bits - 1 - ones
            fraction = code & ((1 << rest) - 1)
            table.append((1 << (2 * ones - 1)) * ((1 << rest) + fraction))
    result = np.array(table, dtype=np.int64)
    result.setflags(write=False)
    return result


_NAME = re.compile(r"(u?)(int|dybit)(\d{1,9})")


def parse_dtype(name: str) -> DType:
    """The format called ``name``: ``int8``, ``uint4``, ``dybit4``, ``udybit8``."""
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        raise ValueError(f"unknown number format {name!r}; valid are int2 to int8, dybit2 to dybit8, and uint/udybit")
    unsigned, kind, width = match.groups()
    return {"int": IntType, "dybit": DyBitType}[kind](int(width), not unsigned)
