"""Fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from models.ir.ops.linear import Linear
from models.layers.integers import Integers
from models.layers.layer import WeightedLayer


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearLayer(WeightedLayer):
    """A fully connected layer over the whole input.

    Parameters
        weight     float [c_out, c_in, H, W]
    """

    kind: ClassVar[str] = "linear"

    def weigh(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.linear(x.flatten(1), weight.flatten(1), bias)[:, :, None, None]

    def unfold(self, x: Tensor) -> Tensor:
        return x.flatten(1)[None]

    def absorbs_norm(self, moves_zero: bool, sparse: bool) -> bool:
        return not (moves_zero and sparse)

    def node(self, integers: Integers) -> Linear:
        assert integers.weight is not None
        return Linear(**self.common(integers), weight=integers.weight.permute(0, 2, 3, 1).contiguous().numpy())
