"""The residual add."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from models.ir.dtype import DType
from models.ir.node import Shape
from models.ir.ops.add import Add
from models.layers.integers import Integers, RequantParams, rounded
from models.layers.layer import ClippedLayer


@dataclass(frozen=True, eq=False, kw_only=True)
class AddLayer(ClippedLayer):
    """The sum of two inputs, each rounded by itself to steps of the output, half ones of a tapered format."""

    kind: ClassVar[str] = "add"
    rounds_inputs: ClassVar[bool] = True

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0] + inputs[1]

    def divisor(self, source: Shape, dtype: DType) -> float:
        return 0.5**dtype.guard_bits

    def branch(self, requant: RequantParams, source: DType, dtype: DType) -> RequantParams:
        """A branch, clipped two bits beyond the sum's format or to what its input can reach."""
        extent = 4 * (max(dtype.max, -dtype.min) + 1) << dtype.guard_bits
        ends = torch.tensor([source.min, source.max]).view(2, 1, 1, 1).expand(2, len(requant.mult), 1, 1)
        free = RequantParams(requant.bias, requant.mult, requant.shift, -extent, extent - 1)
        reached = free.apply(ends)
        return replace(free, lo=int(reached.min()), hi=int(reached.max()))

    def integer(self, own: Integers, *inputs: Tensor) -> Tensor:
        a, b = (requant.apply(x) for requant, x in zip(own.requants, inputs, strict=True))
        guard = own.dtype.guard_bits
        total = (a + b).clamp(own.lo << guard, own.hi << guard)
        return rounded(total, own.dtype) if guard else total

    def node(self, own: Integers) -> Add:
        a, b = (requant.export() for requant in own.requants)
        return Add(**self.common(own), a=a, b=b, lo=own.lo, hi=own.hi)
