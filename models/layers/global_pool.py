"""Global average pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from models.ir.dtype import DType
from models.ir.node import Shape
from models.ir.ops.global_pool import GlobalPool
from models.layers.integers import Integers
from models.layers.layer import ClippedLayer


@dataclass(frozen=True, eq=False, kw_only=True)
class GlobalPoolLayer(ClippedLayer):
    """The mean of a frame. The multiplier of the requantization includes the divisor."""

    kind: ClassVar[str] = "global_pool"

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0].mean(dim=(2, 3), keepdim=True)

    def sum(self, integers: Integers, x: Tensor) -> Tensor:
        return x.sum(dim=(2, 3), keepdim=True)

    def divisor(self, source: Shape, dtype: DType) -> float:
        return source.height * source.width

    def node(self, integers: Integers) -> GlobalPool:
        return GlobalPool(**self.common(integers), requant=integers.requants[0].export())
