"""How wide a node's sums become: the exact worst case over every possible input."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from models.ir.dtype import DType
from models.ir.graph import AvgPool, Conv, GlobalPool, Linear, Node, Shape


@lru_cache(maxsize=4096)
def bounds(node: Node, dtype: DType, shape: Shape) -> tuple[int, int]:
    """(lowest, highest) sum of a node whose input is ``shape`` in ``dtype``, before bias and requantize.

    Over every input, active or not, and every output channel. Zero is a value of every format, so
    these bounds hold for each partial sum as well, in whatever order the terms come.
    """
    if isinstance(node, Conv | Linear):
        weight = node.weight.reshape(node.weight.shape[0], -1)
        products = np.stack([weight * dtype.min, weight * dtype.max])
        return int(products.min(axis=0).sum(axis=1).min()), int(products.max(axis=0).sum(axis=1).max())
    sites = shape.height * shape.width
    if isinstance(node, AvgPool):
        terms = min(sites, node.kernel**2)
    elif isinstance(node, GlobalPool):
        terms = sites
    else:
        raise TypeError(f"node {node.name!r} of op {node.op!r} has no accumulator")
    return terms * dtype.min, terms * dtype.max


def width(lo: int, hi: int) -> int:
    """Bits of the smallest two's complement integer that holds ``lo`` to ``hi``."""
    return max((value if value >= 0 else ~value).bit_length() for value in (lo, hi)) + 1
