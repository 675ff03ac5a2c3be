"""Average pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from models.ir.dtype import DType
from models.ir.node import Shape
from models.ir.ops.avg_pool import AvgPool
from models.layers.integers import Integers
from models.layers.layer import ClippedLayer
from models.layers.windowed import PoolLayer


@dataclass(frozen=True, eq=False, kw_only=True)
class AvgPoolLayer(ClippedLayer, PoolLayer):
    """The mean of each window. The multiplier of the requantization includes the divisor."""

    kind: ClassVar[str] = "avg_pool"

    def compute(self, *inputs: Tensor) -> Tensor:
        x, padding = self.padded(inputs[0])
        return F.avg_pool2d(x, self.sides, self.strides, padding)

    def sum(self, integers: Integers, x: Tensor) -> Tensor:
        x, padding = self.padded(x.double())
        return F.avg_pool2d(x, self.sides, self.strides, padding, divisor_override=1).long()

    def divisor(self, source: Shape, dtype: DType) -> float:
        return self.window.taps

    def node(self, integers: Integers) -> AvgPool:
        requant = integers.requants[0].export()
        return AvgPool(
            **self.common(integers), kernel=self.kernel, stride=self.stride, padding=self.padding, requant=requant
        )
