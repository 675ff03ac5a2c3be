"""Any function of single numbers, as a table: sigmoid, SiLU, leaky ReLU and the like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.elementwise import ElementwiseNode

WIDEST = 10
"""Bits of an input, at most."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Lookup(ElementwiseNode):
    """A function of each number, by a table of its results.

    Parameters
        source    format of the input, of at most 10 bits
        table     decoded integers ``[1, values]``, or ``[channels, values]`` where channels differ: the output for each
                  value of ``source``, from the least to the largest
    """

    op: ClassVar[str] = "lookup"

    source: DType
    table: np.ndarray

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        channels = shapes[0].channels
        if self.source != dtypes[0]:
            raise self.error("source", str(self.source), f"must equal its input's format, {dtypes[0]}")
        if self.source.width > WIDEST:
            raise self.error("source", str(self.source), f"must have at most {WIDEST} bits")
        values = len(self.source.values())
        if self.table.shape not in {(1, values), (channels, values)}:
            valid = f"(1, {values}) or ({channels}, {values}), for the values of {self.source}"
            raise self.error("table", self.table.shape, f"must have shape {valid}")
        wrong = self.table[self.dtype.nearest_value(self.table) != self.table]
        if wrong.size:
            raise self.error("table", int(wrong.flat[0]), f"is no value of {self.dtype}")

    def codes(self) -> np.ndarray:
        """The codes of the results, ``[1 or channels, codes of the input]``."""
        values = self.source.decode(np.arange(1 << self.source.width))
        return self.dtype.encode(self.table[:, np.searchsorted(self.source.values(), values)])

    def compute(self, *inputs: Frame) -> Frame:
        (frame,) = inputs
        row = np.arange(len(self.table)) if len(self.table) > 1 else 0
        return frame.with_features(self.table[row, np.searchsorted(self.source.values(), frame.features)])
