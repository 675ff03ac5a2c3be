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


@dataclass(frozen=True, eq=False, kw_only=True)
class AvgPoolLayer(ClippedLayer):
    """The mean of each window. The multiplier of the requantization includes the divisor.

    Parameters
        kernel     side of the window
        stride     step of the window
        padding    zeros around the image, which count in the mean
    """

    kind: ClassVar[str] = "avg_pool"

    kernel: int
    stride: int
    padding: int

    def compute(self, *inputs: Tensor) -> Tensor:
        return F.avg_pool2d(inputs[0], self.kernel, self.stride, self.padding)

    def sum(self, integers: Integers, x: Tensor) -> Tensor:
        return F.avg_pool2d(x.double(), self.kernel, self.stride, self.padding, divisor_override=1).long()

    def divisor(self, source: Shape, dtype: DType) -> float:
        return self.kernel**2

    def node(self, integers: Integers) -> AvgPool:
        requant = integers.requants[0].export()
        return AvgPool(
            **self.common(integers), kernel=self.kernel, stride=self.stride, padding=self.padding, requant=requant
        )
