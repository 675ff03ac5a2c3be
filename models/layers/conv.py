"""Convolution: full, pointwise or depthwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from models.ir.ops.conv import Conv
from models.layers.integers import Integers
from models.layers.layer import WeightedLayer
from models.sparse import SparseTensor


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvLayer(WeightedLayer):
    """``weight`` [c_out, c_in, k, k], for depthwise [c, 1, k, k]."""

    kind: ClassVar[str] = "conv"

    stride: int = 1
    padding: int = 0
    depthwise: bool = False

    @property
    def kernel(self) -> int:
        return self.weight.shape[-1]

    def weigh(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        groups = len(weight) if self.depthwise else 1
        return F.conv2d(x, weight, bias, self.stride, self.padding, groups=groups)

    def seen(self, x: Tensor) -> Tensor:
        if isinstance(x, SparseTensor):
            nothing = x.features.new_zeros(1, x.shape[1])
            rows = x.sites.windows(self.kernel, self.stride, self.padding).rows
            seen = torch.cat([x.features, nothing])[rows].permute(1, 2, 0)
        else:
            windows = F.unfold(x, self.kernel, padding=self.padding, stride=self.stride)
            seen = windows.view(len(x), x.shape[1], self.kernel**2, -1).permute(0, 3, 1, 2).flatten(0, 1)
        return seen.transpose(0, 1) if self.depthwise else seen.flatten(1)[None]

    def takes_in(self, moves_zero: bool, sparse: bool) -> bool:
        # where zero moves, it must see no padding
        return not moves_zero or self.kernel == self.stride == 1 or not (sparse or self.padding)

    @property
    def by_input(self) -> tuple[slice | None, slice | None]:
        return (slice(None), None) if self.depthwise else super().by_input

    def node(self, own: Integers) -> Conv:
        assert own.weight is not None
        return Conv(
            **self.common(own),
            weight=own.weight.numpy(),
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
            depthwise=self.depthwise,
        )
