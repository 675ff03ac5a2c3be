"""How wide a node's sums become: the exact worst case over every possible input."""

from __future__ import annotations

from functools import lru_cache

from models.ir.dtype import DType
from models.ir.graph import Node, Range, Shape


@lru_cache(maxsize=4096)
def bounds(node: Node, dtype: DType, shape: Shape) -> Range:
    """(lowest, highest) sum of a node whose input is ``shape`` in ``dtype``, before bias and requantize.

    Over every input, active or not, and every output channel; partial sums lie there as well, in whatever order the
    terms come.
    """
    lows, highs = zip(*node.sums(dtype, shape), strict=True)
    return min(lows), max(highs)


def width(lo: int, hi: int) -> int:
    """Bits of the smallest two's complement integer that holds ``lo`` to ``hi``."""
    return max((value if value >= 0 else ~value).bit_length() for value in (lo, hi)) + 1
