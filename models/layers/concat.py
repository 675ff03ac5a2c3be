"""The concatenation of two inputs' channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.ir.ops.concat import Concat
from models.layers.integers import Integers
from models.layers.layer import ClippedLayer


@dataclass(frozen=True, eq=False, kw_only=True)
class ConcatLayer(ClippedLayer):
    """The channels of the first input, then those of the second, requantized to one format."""

    kind: ClassVar[str] = "concat"
    stacks_inputs: ClassVar[bool] = True

    def compute(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, 1)

    def integer(self, integers: Integers, *inputs: Tensor) -> Tensor:
        return integers.requants[0].nearest_value(torch.cat(inputs, 1), integers.dtype)

    def node(self, integers: Integers) -> Concat:
        return Concat(**self.common(integers), requant=integers.requants[0].export())
