"""Convolution: full, pointwise, depthwise or in groups of channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from models.ir.ops.conv import Conv
from models.ir.window import Sizes, Window
from models.layers.integers import Integers
from models.layers.layer import WeightedLayer
from models.layers.windowed import WindowLayer
from models.sparse import SparseTensor


@dataclass(frozen=True, eq=False, kw_only=True)
class ConvLayer(WeightedLayer, WindowLayer):
    """A convolution.

    Parameters
        weight        float [c_out, c_in / groups, ky, kx]
        dilation      distance of two taps, or (rows, columns)
        groups        equal parts of the channels, in and out; an output sees the inputs of its own part alone
    """

    kind: ClassVar[str] = "conv"

    dilation: Sizes = 1
    groups: int = 1

    @property
    def kernel(self) -> Sizes:
        """Side of the window, or (rows, columns)."""
        rows, columns = self.weight.shape[2:]
        return rows if rows == columns else (rows, columns)

    @property
    def window(self) -> Window:
        return Window.of(self.kernel, self.stride, self.padding, self.dilation)

    @property
    def dilations(self) -> tuple[int, int]:
        """Rows and columns from one tap to the next."""
        return self.window.y.dilation, self.window.x.dilation

    def weigh(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        x, padding = self.padded(x)
        return F.conv2d(x, weight, bias, self.strides, padding, self.dilations, self.groups)

    def unfold(self, x: Tensor) -> Tensor:
        if isinstance(x, SparseTensor):
            nothing = x.features.new_zeros(1, x.shape[1])
            rows = x.sites.windows(self.window).rows
            inputs = torch.cat([x.features, nothing])[rows].permute(1, 2, 0)
        else:
            channels = x.shape[1]
            x, padding = self.padded(x)
            windows = F.unfold(x, tuple(self.weight.shape[2:]), self.dilations, padding, self.strides)
            inputs = windows.view(len(x), channels, self.window.taps, -1).permute(0, 3, 1, 2).flatten(0, 1)
        return inputs.unflatten(1, (self.groups, -1)).flatten(2).transpose(0, 1)

    def absorbs_norm(self, moves_zero: bool, sparse: bool) -> bool:
        # a norm that moves zero would also have to act on padding and on inactive sites
        return not moves_zero or self.window.pointwise or not (sparse or self.window.pads)

    def by_input(self, factor: Tensor) -> Tensor:
        return factor.view(self.groups, -1).repeat_interleave(len(self.weight) // self.groups, dim=0)

    def node(self, integers: Integers) -> Conv:
        assert integers.weight is not None
        return Conv(
            **self.common(integers),
            weight=integers.weight.numpy(),
            kernel=self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )
