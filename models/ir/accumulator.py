"""Nodes that sum before they requantize, and how wide their sums become: the exact worst case over every input."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache

import numpy as np

from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.node import Node, Shape
from models.ir.requant import Range
from models.ir.thresholds import Rescaling


class AccumulatingNode(Node):
    """A node whose output is a requantized sum: convolution, average and global pooling, linear.

    Parameters
        requant    how a sum becomes an activation
    """

    requant: Rescaling

    @abstractmethod
    def accumulate(self, frame: Frame) -> Frame:
        """Golden: the sums themselves, before they are requantized."""

    @abstractmethod
    def ranges(self, dtype: DType, shape: Shape) -> list[Range]:
        """The range of each output channel's sum over every possible input, before any bias.

        Zero is a value of every format, so every partial sum lies in its range as well.

        Parameters
            dtype      format of the input
            shape      shape of the input
        """

    def check_weight(self, shape: Shape) -> None:
        """Raise a GraphError where the weights do not fit an input of ``shape``; a plain sum has none."""

    def compute(self, *inputs: Frame) -> Frame:
        sums = self.accumulate(inputs[0])
        return sums.with_features(self.requant.to_dtype(sums.features, self.dtype))

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        super().check(shapes, dtypes)
        self.check_weight(shapes[0])
        self.requant.check(self, "requant", self.ranges(dtypes[0], shapes[0]), self.dtype)


class WeightedNode(AccumulatingNode):
    """A node whose sum is weighted.

    Parameters
        weight          decoded integers ``[c_out, ...]``
        weight_dtype    format of the weights, of 2 to 8 bits
    """

    weight: np.ndarray
    weight_dtype: DType

    @abstractmethod
    def weight_shape(self, shape: Shape) -> tuple[int, ...]:
        """The shape that the weights must have for an input of ``shape``."""

    def ranges(self, dtype: DType, shape: Shape) -> list[Range]:
        flat = self.weight.reshape(len(self.weight), -1)
        ends = zip(np.minimum(flat, 0).sum(axis=1).tolist(), np.maximum(flat, 0).sum(axis=1).tolist(), strict=True)
        low, high = dtype.min, dtype.max
        return [(least * high + most * low, least * low + most * high) for least, most in ends]

    def check_weight(self, shape: Shape) -> None:
        expected = self.weight_shape(shape)
        if self.weight.shape != expected or expected[0] < 1:
            raise self.error("weight", self.weight.shape, f"must have shape {expected}")
        if self.weight_dtype.width > 8:
            raise self.error("weight_dtype", str(self.weight_dtype), "must be a format of 2 to 8 bits")
        wrong = self.weight[self.weight_dtype.nearest_value(self.weight) != self.weight]
        if wrong.size:
            raise self.error("weight", int(wrong.flat[0]), f"is no value of {self.weight_dtype}")


def sum_ranges(terms: int, dtype: DType, shape: Shape) -> list[Range]:
    """The range of an unweighted sum, for each channel.

    Parameters
        terms      the most values that are added
        dtype      format of the values
        shape      shape of the input, whose channels are counted
    """
    return [(terms * dtype.min, terms * dtype.max)] * shape.channels


@lru_cache(maxsize=4096)
def bounds(node: AccumulatingNode, dtype: DType, shape: Shape) -> Range:
    """(lowest, highest) sum over every output channel and every input, active or not, before bias and requantize.

    Partial sums lie in this range as well, in whatever order the terms are added.

    Parameters
        node       the node that sums
        dtype      format of its input
        shape      shape of its input
    """
    lows, highs = zip(*node.ranges(dtype, shape), strict=True)
    return min(lows), max(highs)


def width(lo: int, hi: int) -> int:
    """Bits of the smallest two's complement integer that holds a range.

    Parameters
        lo         the lowest number
        hi         the highest number
    """
    return max((value if value >= 0 else ~value).bit_length() for value in (lo, hi)) + 1
