"""Global average pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from models.ir.accumulator import sum_ranges
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.whole_frame import ORIGIN, WholeFrameNode
from models.ir.requant import Range
from models.ir.thresholds import Rescaling


@dataclass(frozen=True, eq=False, kw_only=True)
class GlobalPool(WholeFrameNode):
    """The sum over all active sites, requantized, as the one site of a 1x1 frame, also of an empty frame.

    Parameters
        requant    how the sum becomes an activation; 1/(height * width) is part of the multiplier
    """

    op: ClassVar[str] = "global_pool"

    requant: Rescaling

    def out_shape(self, *inputs: Shape) -> Shape:
        return Shape(1, 1, inputs[0].channels)

    def ranges(self, dtype: DType, shape: Shape) -> list[Range]:
        return sum_ranges(shape.height * shape.width, dtype, shape)

    def accumulate(self, frame: Frame) -> Frame:
        return Frame(1, 1, ORIGIN, frame.features.sum(axis=0, keepdims=True))
