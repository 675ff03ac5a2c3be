"""DyBit: the run of leading ones moves precision to range."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.formats.tapered import TaperedType


@dataclass(frozen=True)
class DyBitType(TaperedType):
    """DyBit, a tapered format: a run of leading ones gives the magnitude's exponent.

    With ``m`` magnitude bits (``width``, less the sign bit when signed), a magnitude code with
    ``i`` leading ones stands for, in steps of ``2**-(m-1)``:

    - ``i == 0``: the code itself;
    - ``0 < i < m``, the ``m-1-i`` bits after the closing zero being ``f``:
      ``2**(2*i-1) * (2**(m-1-i) + f)``;
    - ``i == m``: ``4**(m-1)``.

    Parameters
        width      2 to 8 bits
        signed     whether the first bit is a sign
    Source         DyBit (arXiv 2302.12510), as published; this is its one definition here
    """

    kind: ClassVar[str] = "dybit"
    widths: ClassVar[tuple[int, ...]] = tuple(range(2, 9))

    width: int
    signed: bool = True

    def __post_init__(self) -> None:
        self._check(2, 8)

    @property
    def headroom(self) -> int:
        return self.magnitude_bits - 1

    @property
    def magnitudes(self) -> np.ndarray:
        return _magnitudes(self.magnitude_bits)


@functools.cache
def _magnitudes(bits: int) -> np.ndarray:
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
