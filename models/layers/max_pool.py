"""Max pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from models.ir.ops.max_pool import MaxPool
from models.layers.integers import Integers
from models.layers.layer import Layer


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPoolLayer(Layer):
    """The largest value of each window, in the format of the input.

    Parameters
        kernel     side of the window
        stride     step of the window
        padding    sites around the image, which are never the largest
    """

    kind: ClassVar[str] = "max_pool"
    keeps_format: ClassVar[bool] = True

    kernel: int
    stride: int
    padding: int

    def compute(self, *inputs: Tensor) -> Tensor:
        return F.max_pool2d(inputs[0], self.kernel, self.stride, self.padding)

    def integer(self, integers: Integers, *inputs: Tensor) -> Tensor:
        return self.compute(inputs[0].double()).long()

    def node(self, integers: Integers) -> MaxPool:
        return MaxPool(**self.common(integers), kernel=self.kernel, stride=self.stride, padding=self.padding)
