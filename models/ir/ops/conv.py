"""Convolution: full, pointwise, depthwise or in groups of channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.accumulator import WeightedNode
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.windowed import WindowNode
from models.ir.thresholds import Rescaling
from models.ir.window import Sizes, Window


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv(WeightedNode, WindowNode):
    """Convolution: full, pointwise (kernel 1), depthwise or in groups of channels.

    Parameters
        dilation        distance of two taps, or (rows, columns)
        groups          equal parts of the channels, in and out; an output sees the inputs of its own part alone
        weight          decoded integers ``[c_out, c_in / groups, ky, kx]``
        weight_dtype    format of the weights
        requant         how a sum becomes an activation
    """

    op: ClassVar[str] = "conv"

    dilation: Sizes = 1
    groups: int = 1
    weight: np.ndarray
    weight_dtype: DType
    requant: Rescaling

    @property
    def depthwise(self) -> bool:
        """Whether each output channel sees the input channel of its number alone."""
        return self.groups > 1 and self.weight.shape[:2] == (self.groups, 1)

    @property
    def window(self) -> Window:
        return Window.of(self.kernel, self.stride, self.padding, self.dilation)

    def out_shape(self, *inputs: Shape) -> Shape:
        return super().out_shape(*inputs)._replace(channels=self.weight.shape[0])

    def weight_shape(self, shape: Shape) -> tuple[int, ...]:
        outputs = self.weight.shape[0] if self.weight.ndim else 0
        for name, channels in (("input", shape.channels), ("output", outputs)):
            if self.groups < 1 or channels % self.groups:
                raise self.error("groups", self.groups, f"must divide the {channels} {name} channels")
        return outputs, shape.channels // self.groups, self.window.y.kernel, self.window.x.kernel

    def accumulate(self, frame: Frame) -> Frame:
        height, width, sites = self.window.out_sites(frame)
        sums = np.zeros((len(sites), self.weight.shape[0]), dtype=np.int64)
        taps = self.weight.reshape(*self.weight.shape[:2], -1)
        for tap, rows in enumerate(self.window.input_rows(frame, sites)):
            active = rows >= 0
            features = frame.features[rows[active]]
            weight = taps[:, :, tap]
            if self.depthwise:
                sums[active] += features * weight[:, 0]
                continue
            parts = zip(np.split(features, self.groups, axis=1), np.split(weight, self.groups), strict=True)
            sums[active] += np.concatenate([part @ own.T for part, own in parts], axis=1)
        return Frame(height, width, sites, sums)
