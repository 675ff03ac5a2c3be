"""A change of number format or scale on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from models.ir.accumulator import sum_ranges
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.elementwise import ElementwiseNode
from models.ir.thresholds import Rescaling


@dataclass(frozen=True, eq=False, kw_only=True)
class Requantize(ElementwiseNode):
    """A change of number format or scale.

    Parameters
        requant    how an input becomes an output
    """

    op: ClassVar[str] = "requantize"

    requant: Rescaling

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        self.requant.check(self, "requant", sum_ranges(1, dtypes[0], shapes[0]), self.dtype)

    def compute(self, *inputs: Frame) -> Frame:
        return inputs[0].with_features(self.requant.to_dtype(inputs[0].features, self.dtype))
