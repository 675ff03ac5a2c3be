"""The concatenation of two frames' channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.accumulator import sum_ranges
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.elementwise import ElementwiseNode
from models.ir.thresholds import Rescaling


@dataclass(frozen=True, eq=False, kw_only=True)
class Concat(ElementwiseNode):
    """The channels of the first frame, then those of the second, over the same sites; each channel is requantized.

    Parameters
        requant    a bias and a multiplier for each channel of both inputs
    """

    op: ClassVar[str] = "concat"
    arity: ClassVar[int] = 2

    requant: Rescaling

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]._replace(channels=sum(shape.channels for shape in inputs))

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        if shapes[0][:2] != shapes[1][:2]:
            raise self.error("inputs", self.inputs, f"must have one height and width, not {shapes[0]} and {shapes[1]}")
        ranges = [end for dtype, shape in zip(dtypes, shapes, strict=True) for end in sum_ranges(1, dtype, shape)]
        self.requant.check(self, "requant", ranges, self.dtype)

    def compute(self, *inputs: Frame) -> Frame:
        a, b = inputs
        if not np.array_equal(a.sites, b.sites):
            raise ValueError(f"graph node {self.name!r}: its two inputs have different active sites")
        return a.with_features(self.requant.to_dtype(np.hstack([a.features, b.features]), self.dtype))
