"""Bounds are reached, never passed, and fit the width that is given for them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ir.accumulator import bounds, width
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.linear import Linear
from models.ir.requant import Requant
from tests.models.ir.builders import DYBIT4, INT8, UDYBIT4, UINT8, conv, requant, tensor

TINY = [IntType(2), IntType(2, False), DyBitType(2), DyBitType(2, False)]


@pytest.mark.parametrize("dtype", TINY, ids=str)
@pytest.mark.parametrize("channels, out, kernel, depthwise", [(1, 2, 2, False), (4, 3, 1, False), (3, 3, 1, True)])
def test_convolution_bounds_equal_brute_force(
    dtype: DType, channels: int, out: int, kernel: int, depthwise: bool
) -> None:
    rng = np.random.default_rng(2)
    node = conv(rng, channels, out, kernel, padding=0, depthwise=depthwise, weights=DYBIT4, source=dtype)
    shape = Shape(kernel, kernel, channels)
    images = itertools.product(dtype.values().tolist(), repeat=kernel * kernel * channels)
    frames = (Frame.from_dense(np.array(image).reshape(shape)) for image in images)
    sums = np.concatenate([node.accumulate(frame).features for frame in frames])
    assert bounds(node, dtype, shape) == (sums.min(), sums.max())


@pytest.mark.parametrize("dtype", [INT8, UINT8, DYBIT4, UDYBIT4], ids=str)
def test_linear_bounds_are_reached_by_the_extreme_inputs(dtype: DType) -> None:
    rng = np.random.default_rng(3)
    weight = tensor(rng, INT8, 3, 2, 2, 5)
    rule = requant(rng, 3, UINT8, 1000)
    node = Linear(name="fc", inputs=(), dtype=UINT8, weight=weight, weight_dtype=INT8, requant=rule)
    highest = [np.where(row > 0, dtype.max, dtype.min) for row in weight]
    lowest = [np.where(row > 0, dtype.min, dtype.max) for row in weight]
    sums = [node.accumulate(Frame.from_dense(image)).features[0] for image in highest + lowest]
    assert bounds(node, dtype, Shape(2, 2, 5)) == (np.min(sums), np.max(sums))


@pytest.mark.parametrize("dtype", [INT8, UDYBIT4], ids=str)
@pytest.mark.parametrize("side", [2, 5])
def test_pooling_bounds_are_reached(dtype: DType, side: int) -> None:
    rule = Requant.identity(1, 0, 1)
    average = AvgPool(name="pool", inputs=(), dtype=UINT8, kernel=3, padding=1, requant=rule)
    whole = GlobalPool(name="pool", inputs=(), dtype=UINT8, requant=rule)
    frames = [Frame.from_dense(np.full((side, side, 1), value)) for value in (dtype.min, dtype.max)]
    for node in (average, whole):
        low, high = (node.accumulate(frame).features for frame in frames)
        assert bounds(node, dtype, Shape(side, side, 1)) == (low.min(), high.max())


@given(st.integers(-(2**40), 2**40), st.integers(0, 2**40))
def test_width_is_the_smallest_that_holds_both(lo: int, span: int) -> None:
    hi = lo + span
    bits = width(lo, hi)
    assert -(2 ** (bits - 1)) <= lo
    assert hi < 2 ** (bits - 1)
    narrower = 2 ** (bits - 1) // 2
    assert bits == 1 or lo < -narrower or hi >= narrower


@pytest.mark.parametrize("lo, hi, bits", [(0, 0, 1), (-1, 0, 1), (0, 1, 2), (-128, 127, 8), (-129, 0, 9), (0, 128, 9)])
def test_width_at_the_edges(lo: int, hi: int, bits: int) -> None:
    assert width(lo, hi) == bits
