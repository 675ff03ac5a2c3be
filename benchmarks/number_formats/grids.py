"""Number formats as tables of what they can say: DyBit and integers of ``models.ir.dtype``, and others of 4 bits.

A format has 3 bits for magnitudes of either sign and all 4 for values that are never negative; as for DyBit, the sign's
bit then goes to the magnitude. Published formats without a sign of their own here:

- ``e2m1``: 2 bits of exponent, 1 of mantissa, subnormals, of the OCP's microscaling formats (v1.0); one-sided E2M2.
- ``adaptivfloat``: 2 bits of exponent, no subnormals, zero in place of the least value; one bias of the exponent for a
  whole tensor, and no other scale. (Tambe et al., arXiv 1909.13271.)
- ``posit``: regime, 1 bit of exponent, fraction: posit(4,1); one-sided the positive half of posit(5,1). (Gustafson and
  Yonemoto, Supercomputing Frontiers and Innovations 4(2), 2017.)
- ``power of two``: zero and powers of two. (Miyashita et al., arXiv 1603.01025.)
- ``flint``: the exponent is where the first one stands, so that values about one have the longest mantissa. (ANT,
  Guo et al., arXiv 2208.14286; values as its authors' code at github.com/clevercool/ANT-Quantization makes them.) At
  3 and 4 bits of magnitude they are DyBit's, one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType

BITS = 4


@dataclass(frozen=True)
class Grid:
    """``values``, ascending, zero among them, are what a tensor over its scale is rounded to.

    Each channel of weights and each activation tensor has a scale; with ``shared``, a tensor has one, a power of two.
    """

    values: tuple[float, ...]
    shared: bool = False

    @classmethod
    def of(cls, dtype: DType) -> Grid:
        return cls(tuple(dtype.values().astype(float).tolist()))

    @property
    def largest(self) -> float:
        return max(self.values[-1], -self.values[0])

    @property
    def median(self) -> float:
        """The middle one of its magnitudes above zero."""
        positive = [value for value in self.values if value > 0]
        return positive[len(positive) // 2]


def e2m1(bits: int) -> list[float]:
    """Magnitudes: exponents 1 to 3 with ``bits - 2`` of mantissa, and exponent 0 without the leading one."""
    steps = 1 << (bits - 2)
    return [j / steps for j in range(steps)] + [
        2.0 ** (e - 1) * (1 + j / steps) for e in (1, 2, 3) for j in range(steps)
    ]


def adaptivfloat(bits: int) -> list[float]:
    steps = 1 << (bits - 2)
    return [0.0] + [2.0**e * (1 + j / steps) for e in range(4) for j in range(steps)][1:]


def posit(bits: int) -> list[float]:
    """The codes of ``bits`` bits behind the sign: a run of one digit, the other digit, exponent, fraction."""
    return [0.0] + [_posit(f"{code:0{bits}b}") for code in range(1, 1 << bits)]


def _posit(code: str) -> float:
    run = len(code) - len(code.lstrip(code[0]))
    regime = run - 1 if code[0] == "1" else -run
    rest = code[run + 1 :]
    exponent, fraction = int(rest[:1] or "0"), rest[1:]
    return 2.0 ** (2 * regime + exponent) * (1 + int(fraction or "0", 2) / (1 << len(fraction)))


def power_of_two(bits: int) -> list[float]:
    return [0.0] + [2.0**e for e in range((1 << bits) - 1)]


def flint(bits: int) -> list[float]:
    """The further an exponent is from that of values about one, the fewer bits of mantissa; none at either end."""
    values = [0.0, 2.0 ** (bits - 1)]
    for exponent in range(1 - bits, bits - 1):
        away = exponent if exponent >= 0 else -exponent - 1
        steps = 1 << (bits - 2 - away)
        values += [2.0**exponent * (1 + j / steps) for j in range(steps)]
    return sorted(values)


MAGNITUDES: dict[str, Callable[[int], list[float]]] = {
    "e2m1": e2m1,
    "adaptivfloat": adaptivfloat,
    "posit": posit,
    "power of two": power_of_two,
    "flint": flint,
}
NAMES = ("int", "dybit", *MAGNITUDES)


def grid(name: str, signed: bool, bits: int = BITS) -> Grid:
    """The grid of a format of ``NAMES`` in ``bits`` bits; but for integers and DyBit, of 4."""
    if name in ("int", "dybit"):
        return Grid.of({"int": IntType, "dybit": DyBitType}[name](bits, signed))
    table = MAGNITUDES[name](bits - signed)
    below = [-value for value in table[:0:-1]] if signed else []
    return Grid((*below, *table), shared=name == "adaptivfloat")
