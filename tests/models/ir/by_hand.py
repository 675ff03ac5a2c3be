"""What golden must compute, in plain loops, rationals and torch."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import torch

from models.ir import golden
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Node, Shape
from models.ir.ops.windowed import WindowNode
from models.ir.requant import Requant
from tests.models.ir.builders import single

WINDOWS = [
    (kernel, stride, padding)
    for kernel in range(1, 8)
    for stride in (1, 2)
    for padding in sorted({0, (kernel - 1) // 2})
]
DENSITIES = [1.0, 0.3, 0.03]


def scaled_by_hand(acc: int, channel: int, rule: Requant) -> Fraction:
    biased = (acc << rule.fraction) + int(rule.bias[channel])
    scaled = Fraction(biased * int(rule.mult[channel]), 2**rule.shift)
    return min(max(scaled, Fraction(rule.lo)), Fraction(rule.hi))


def by_hand(acc: int, channel: int, rule: Requant) -> int:
    return math.floor(scaled_by_hand(acc, channel, rule) + Fraction(1, 2))


def nearest_by_hand(value: Fraction, dtype: DType) -> int:
    return min(dtype.values().tolist(), key=lambda v: (abs(v - value), -v))


def active_by_hand(node: WindowNode, mask: np.ndarray) -> np.ndarray:
    """Output sites of a window op, in plain loops over cells.

    A cell starts at the window's middle, or as far before it as the cell has to, to end within the window.
    """
    height, width = mask.shape
    firsts = {
        axis: max(0, min((axis.span - 1) // 2, axis.span - axis.stride)) for axis in (node.window.y, node.window.x)
    }
    cells = [
        [
            slice(max(0, start + firsts[axis]), max(0, start + firsts[axis] + axis.stride))
            for start in range(-axis.before, side + axis.after - axis.span + 1, axis.stride)
        ]
        for axis, side in ((node.window.y, height), (node.window.x, width))
    ]
    return np.array([[mask[rows, columns].any() for columns in cells[1]] for rows in cells[0]])


def planes(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)[None])).double()


def finished(acc: np.ndarray, rule: Requant, dtype: DType) -> np.ndarray:
    out = [[nearest_by_hand(scaled_by_hand(a, c, rule), dtype) for c, a in enumerate(row)] for row in acc.tolist()]
    return np.array(out, dtype=np.int64).reshape(acc.shape)


def check(node: Node, frame: Frame, dtype: DType, dense_acc: np.ndarray, mask: np.ndarray) -> None:
    """Golden's frame equals the requantized sums ``[h, w, c]`` at the sites of ``mask``, and nothing else."""
    got = golden.run(single(node, Shape(frame.height, frame.width, frame.channels), dtype), frame)[node.name]
    assert np.array_equal(got.mask, mask)
    assert np.array_equal(got.features, finished(dense_acc[mask], node.requant, node.dtype))  # type: ignore[attr-defined]
