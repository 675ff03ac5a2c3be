"""Max pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.windowed import WindowNode


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPool(WindowNode):
    """The largest value among the active sites of the window."""

    op: ClassVar[str] = "max_pool"
    owns_format: ClassVar[bool] = False

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        super().check(shapes, dtypes)
        if self.window.may_be_empty:
            raise self.error(
                "kernel", self.kernel, f"must be at least the stride, {self.stride}: no window may be empty"
            )
        if self.dtype != dtypes[0]:
            raise self.error("dtype", str(self.dtype), f"must equal its input's, {dtypes[0]}")

    def compute(self, *inputs: Frame) -> Frame:
        (frame,) = inputs
        height, width, sites = self.window.out_sites(frame)
        padded = np.concatenate([frame.features, np.full((1, frame.channels), np.iinfo(np.int64).min)])
        return Frame(height, width, sites, padded[self.window.input_rows(frame, sites)].max(axis=0))
