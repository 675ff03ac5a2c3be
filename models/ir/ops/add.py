"""The residual add."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.ir.accumulator import sum_ranges
from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.elementwise import ElementwiseNode
from models.ir.requant import Range, Requant
from models.ir.thresholds import Rescaling

BRANCH = IntType(63)
"""What a branch is clipped to, or to less: the sum of two lies within int64."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Add(ElementwiseNode):
    """The sum of two frames over the same sites: each is requantized and clipped, then the sum is clipped.

    ``a`` and ``b`` give whole steps of the output, for a tapered format half steps (``guard_bits``), so that the sum is
    rounded only once, to the format.

    Parameters
        a          requantization of the first input
        b          requantization of the second input
        lo         the lowest sum, in steps of the output
        hi         the highest sum, in steps of the output
        total      how the sum becomes the output, where it is not in its steps yet; None where it is
    """

    op: ClassVar[str] = "add"
    arity: ClassVar[int] = 2

    a: Requant
    b: Requant
    lo: int
    hi: int
    total: Rescaling | None = None

    @property
    def bounds(self) -> Range:
        """(lowest, highest) sum of the branches."""
        return self.a.lo + self.b.lo, self.a.hi + self.b.hi

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        if shapes[0] != shapes[1]:
            raise self.error("inputs", self.inputs, f"must have one shape, not {shapes[0]} and {shapes[1]}")
        for name, dtype in zip(("a", "b"), dtypes, strict=True):
            requant: Requant = getattr(self, name)
            requant.check(self, name, sum_ranges(1, dtype, shapes[0]), BRANCH)
        if self.total is not None:
            self.total.check(self, "total", [self.bounds] * shapes[0].channels, self.dtype)
        if not self.dtype.min <= self.lo <= self.hi <= self.dtype.max:
            raise self.error("lo, hi", (self.lo, self.hi), f"must lie in order within {self.dtype}")

    def compute(self, *inputs: Frame) -> Frame:
        a, b = inputs
        if not np.array_equal(a.sites, b.sites):
            raise ValueError(f"graph node {self.name!r}: its two inputs have different active sites")
        total = self.a.integer(a.features) + self.b.integer(b.features)
        if self.total is not None:
            return a.with_features(self.total.to_dtype(total, self.dtype))
        guard = self.dtype.guard_bits
        return a.with_features(
            self.dtype.round_doubled(np.clip(total, self.lo << guard, self.hi << guard) << (1 - guard))
        )
