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
    """A convolution.

    Parameters
        weight        float [c_out, c_in, k, k], or [c, 1, k, k] if depthwise
        stride        step of the window
        padding       zeros around the image
        depthwise     whether each channel has a kernel of its own
    """

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

    def unfold(self, x: Tensor) -> Tensor:
        if isinstance(x, SparseTensor):
            nothing = x.features.new_zeros(1, x.shape[1])
            rows = x.sites.windows(self.kernel, self.stride, self.padding).rows
            inputs = torch.cat([x.features, nothing])[rows].permute(1, 2, 0)
        else:
            windows = F.unfold(x, self.kernel, padding=self.padding, stride=self.stride)
            inputs = windows.view(len(x), x.shape[1], self.kernel**2, -1).permute(0, 3, 1, 2).flatten(0, 1)
        return inputs.transpose(0, 1) if self.depthwise else inputs.flatten(1)[None]

    def absorbs_norm(self, moves_zero: bool, sparse: bool) -> bool:
        # a norm that moves zero would also have to act on padding and on inactive sites
        return not moves_zero or self.kernel == self.stride == 1 or not (sparse or self.padding)

    @property
    def input_channel_index(self) -> tuple[slice | None, slice | None]:
        return (slice(None), None) if self.depthwise else super().input_channel_index

    def node(self, integers: Integers) -> Conv:
        assert integers.weight is not None
        return Conv(
            **self.common(integers),
            weight=integers.weight.numpy(),
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
            depthwise=self.depthwise,
        )
