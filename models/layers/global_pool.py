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
    """The mean of a frame; its divisor goes into the multiplier."""

    kind: ClassVar[str] = "global_pool"

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0].mean(dim=(2, 3), keepdim=True)

    def sum(self, own: Integers, x: Tensor) -> Tensor:
        return x.sum(dim=(2, 3), keepdim=True)

    def divisor(self, source: Shape, dtype: DType) -> float:
        return source.height * source.width

    def node(self, own: Integers) -> GlobalPool:
        return GlobalPool(**self.common(own), requant=own.requants[0].export())
