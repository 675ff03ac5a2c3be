"""Convolution: full, pointwise or depthwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.accumulator import WeightedNode
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.windowed import WindowNode
from models.ir.requant import Requant
from models.ir.window import Sizes, Window


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv(WeightedNode, WindowNode):
    """Convolution: full, pointwise (kernel 1) or depthwise.

    Parameters
        dilation        distance of two taps, or (rows, columns)
        depthwise       whether each output channel sees its own input channel only
        weight          decoded integers ``[c_out, c_in, ky, kx]``, for depthwise ``[c, 1, ky, kx]``
        weight_dtype    format of the weights
        requant         how a sum becomes an activation
    """

    op: ClassVar[str] = "conv"

    dilation: Sizes = 1
    depthwise: bool = False
    weight: np.ndarray
    weight_dtype: DType
    requant: Requant

    @property
    def window(self) -> Window:
        return Window.of(self.kernel, self.stride, self.padding, self.dilation)

    def out_shape(self, *inputs: Shape) -> Shape:
        return super().out_shape(*inputs)._replace(channels=self.weight.shape[0])

    def weight_shape(self, shape: Shape) -> tuple[int, ...]:
        out = shape.channels if self.depthwise else self.weight.shape[0] if self.weight.ndim else 0
        return out, 1 if self.depthwise else shape.channels, self.window.y.kernel, self.window.x.kernel

    def accumulate(self, frame: Frame) -> Frame:
        height, width, sites = self.window.out_sites(frame)
        sums = np.zeros((len(sites), self.weight.shape[0]), dtype=np.int64)
        taps = self.weight.reshape(*self.weight.shape[:2], -1)
        for tap, rows in enumerate(self.window.input_rows(frame, sites)):
            active = rows >= 0
            features = frame.features[rows[active]]
            weight = taps[:, :, tap]
            sums[active] += features * weight[:, 0] if self.depthwise else features @ weight.T
        return Frame(height, width, sites, sums)
