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
    """``weight`` [c_out, c_in, H, W] over the whole input."""

    kind: ClassVar[str] = "linear"

    def weigh(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return F.linear(x.flatten(1), weight.flatten(1), bias)[:, :, None, None]

    def seen(self, x: Tensor) -> Tensor:
        return x.flatten(1)[None]

    def takes_in(self, moves_zero: bool, sparse: bool) -> bool:
        return not (moves_zero and sparse)

    def node(self, own: Integers) -> Linear:
        assert own.weight is not None
        return Linear(**self.common(own), weight=own.weight.permute(0, 2, 3, 1).contiguous().numpy())
