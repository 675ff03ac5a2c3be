"""Fully connected layer over a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.accumulator import WeightedNode
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.whole_frame import ORIGIN, WholeFrameNode
from models.ir.thresholds import Rescaling


@dataclass(frozen=True, eq=False, kw_only=True)
class Linear(WeightedNode, WholeFrameNode):
    """Each output is a weighted sum over the whole frame: the one site of a 1x1 frame, also of an empty frame.

    Parameters
        weight          decoded integers ``[c_out, height, width, c_in]`` over the input frame
        weight_dtype    format of the weights
        requant         how a sum becomes an activation
    """

    op: ClassVar[str] = "linear"

    weight: np.ndarray
    weight_dtype: DType
    requant: Rescaling

    def out_shape(self, *inputs: Shape) -> Shape:
        return Shape(1, 1, self.weight.shape[0])

    def weight_shape(self, shape: Shape) -> tuple[int, ...]:
        return self.weight.shape[0] if self.weight.ndim else 0, *shape

    def accumulate(self, frame: Frame) -> Frame:
        weight = self.weight[:, frame.sites[:, 0], frame.sites[:, 1], :]
        return Frame(1, 1, ORIGIN, np.einsum("onc,nc->o", weight, frame.features)[None, :])
