"""Max pooling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from models.ir.ops.max_pool import MaxPool
from models.layers.integers import Integers
from models.layers.windowed import PoolLayer


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPoolLayer(PoolLayer):
    """The largest value of each window, in the format of the input."""

    kind: ClassVar[str] = "max_pool"
    keeps_format: ClassVar[bool] = True

    def compute(self, *inputs: Tensor) -> Tensor:
        x, padding = self.padded(inputs[0], -math.inf)
        return F.max_pool2d(x, self.sides, self.strides, padding)

    def integer(self, integers: Integers, *inputs: Tensor) -> Tensor:
        return self.compute(inputs[0].double()).long()

    def node(self, integers: Integers) -> MaxPool:
        return MaxPool(**self.common(integers), kernel=self.kernel, stride=self.stride, padding=self.padding)
