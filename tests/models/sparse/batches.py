"""Sparse batches of every density, and weights, that are integers in float64."""

from __future__ import annotations

import torch
from torch import Tensor

from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.ops.windowed import WindowNode
from models.ir.requant import Requant
from models.sparse import SparseTensor

WINDOWS = [(k, s, p) for k in range(1, 8) for s in (1, 2) for p in range((k - 1) // 2 + 1)]
"""Every kernel, stride and padding."""
ACC = IntType(32)
DENSITIES = (0.0, 0.02, 0.2, 0.6, 1.0)


def batch(channels: int, height: int, width: int, seed: int = 0, low: int = -8, high: int = 8) -> SparseTensor:
    """float64 integers; an image of each density, the first of them empty."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(low, high, (len(DENSITIES), channels, height, width), generator=generator).double()
    mask = torch.rand(len(DENSITIES), height, width, generator=generator) < torch.tensor(DENSITIES)[:, None, None]
    return SparseTensor.from_dense(x, mask)


def weights(*shape: int) -> Tensor:
    return torch.randint(-8, 8, shape, generator=torch.Generator().manual_seed(1)).double()


def requant(channels: int) -> Requant:
    """Leaves sums as they are."""
    return Requant.identity(channels, ACC.min, ACC.max)


def golden_frames(node: WindowNode, x: SparseTensor) -> list[Frame]:
    """What golden makes of each image."""
    return [node.compute(frame) for frame in x.long().frames()]
