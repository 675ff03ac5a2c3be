"""Small floats: two bits of exponent."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.formats.tapered import TaperedType

EXPONENTS = 4
"""Of two bits; the first has the subnormal numbers, and none stands for infinity."""


@dataclass(frozen=True)
class FloatType(TaperedType):
    """A float with two exponent bits: ``fp4`` is e2m1, ``fp5`` e2m2, ``fp6`` e2m3; unsigned ones have a bit more.

    With ``n`` mantissa bits ``f`` and exponent ``e``, a magnitude is, in steps, ``f`` where ``e`` is 0 and otherwise
    ``(2**n + f) << (e - 1)``. No code stands for infinity or NaN.

    Parameters
        width      4 to 6 bits
        signed     whether the first bit is a sign
    Source         OCP Microscaling Formats (MX) Specification 1.0, sections 5.3.2 and 5.3.3, for fp4 and fp6
    """

    kind: ClassVar[str] = "fp"
    widths: ClassVar[tuple[int, ...]] = (4, 5, 6)

    width: int
    signed: bool = True

    def __post_init__(self) -> None:
        self._check(4, 6)

    @property
    def headroom(self) -> int:
        return EXPONENTS - 2

    @property
    def magnitudes(self) -> np.ndarray:
        return _magnitudes(self.magnitude_bits - 2)


@functools.cache
def _magnitudes(mantissa_bits: int) -> np.ndarray:
    fractions = np.arange(1 << mantissa_bits, dtype=np.int64)
    normal = [(1 << mantissa_bits) + fractions << exponent - 1 for exponent in range(1, EXPONENTS)]
    result = np.concatenate([fractions, *normal])
    result.setflags(write=False)
    return result
