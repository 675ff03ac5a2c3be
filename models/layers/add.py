"""The residual add."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from models.ir.dtype import DType
from models.ir.node import Shape
from models.ir.ops.add import Add
from models.layers.integers import Integers, RequantParams, round_doubled
from models.layers.layer import ClippedLayer


@dataclass(frozen=True, eq=False, kw_only=True)
class AddLayer(ClippedLayer):
    """The sum of two inputs. Each is first rounded to steps of the output, or half steps of a tapered format."""

    kind: ClassVar[str] = "add"
    rounds_inputs: ClassVar[bool] = True

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0] + inputs[1]

    def divisor(self, source: Shape, dtype: DType) -> float:
        return 0.5**dtype.guard_bits

    def branch(self, requant: RequantParams, source: DType, dtype: DType) -> RequantParams:
        """Clip a branch to about four times the range of the sum, or to the values that its input can reach."""
        extent = 4 * (max(dtype.max, -dtype.min) + 1) << dtype.guard_bits
        ends = torch.tensor([source.min, source.max]).view(2, 1, 1, 1).expand(2, len(requant.mult), 1, 1)
        unclipped = RequantParams(requant.bias, requant.mult, requant.shift, -extent, extent - 1)
        results = unclipped.apply(ends)
        return replace(unclipped, lo=int(results.min()), hi=int(results.max()))

    def integer(self, integers: Integers, *inputs: Tensor) -> Tensor:
        a, b = (requant.apply(x) for requant, x in zip(integers.requants, inputs, strict=True))
        guard = integers.dtype.guard_bits
        total = (a + b).clamp(integers.lo << guard, integers.hi << guard)
        return round_doubled(total, integers.dtype) if guard else total

    def node(self, integers: Integers) -> Add:
        a, b = (requant.export() for requant in integers.requants)
        return Add(**self.common(integers), a=a, b=b, lo=integers.lo, hi=integers.hi)
