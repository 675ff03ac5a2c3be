"""Average pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.accumulator import AccumulatingNode, sum_ranges
from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.windowed import WindowNode
from models.ir.requant import Range
from models.ir.thresholds import Rescaling


@dataclass(frozen=True, eq=False, kw_only=True)
class AvgPool(AccumulatingNode, WindowNode):
    """The sum over the active sites of the window, requantized.

    Parameters
        requant    how the sum becomes an activation; 1/taps is part of the multiplier
    """

    op: ClassVar[str] = "avg_pool"

    requant: Rescaling

    def ranges(self, dtype: DType, shape: Shape) -> list[Range]:
        return sum_ranges(min(shape.height * shape.width, self.window.taps), dtype, shape)

    def accumulate(self, frame: Frame) -> Frame:
        height, width, sites = self.window.out_sites(frame)
        sums = np.zeros((len(sites), frame.channels), dtype=np.int64)
        for rows in self.window.input_rows(frame, sites):
            sums[rows >= 0] += frame.features[rows[rows >= 0]]
        return Frame(height, width, sites, sums)
