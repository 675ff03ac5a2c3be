"""An activation on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from models.ir.ops.requantize import Requantize
from models.layers.integers import Integers
from models.layers.layer import ClippedLayer


@dataclass(frozen=True, eq=False, kw_only=True)
class ClipLayer(ClippedLayer):
    """An activation that could not be fused into a layer before it."""

    kind: ClassVar[str] = "requantize"

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0]

    def node(self, integers: Integers) -> Requantize:
        return Requantize(**self.common(integers), requant=integers.requants[0].export())
