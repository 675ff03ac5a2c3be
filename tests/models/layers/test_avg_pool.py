"""Average pooling: padding and sites that are not active count as zeros."""

from __future__ import annotations

import pytest
import torch

from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.window import Sizes
from models.layers.avg_pool import AvgPoolLayer
from models.layers.integers import Integers
from tests.models.layers.small import assert_golden_agrees, integer_images, requant_params


def layer(kernel: Sizes, stride: Sizes, padding: Sizes) -> AvgPoolLayer:
    shape = Shape(3, 3, 1)
    return AvgPoolLayer(name="pool", inputs=("x",), shape=shape, kernel=kernel, stride=stride, padding=padding)


def test_the_mean_counts_padding() -> None:
    mean = layer(3, 1, 1).compute(torch.full((1, 1, 3, 3), 9.0))
    assert mean.tolist() == [[[[4, 6, 4], [6, 9, 6], [4, 6, 4]]]]


def test_the_integer_sum_is_divided_by_the_area_of_the_kernel() -> None:
    pool = layer(3, 1, 1)
    own = Integers(dtype=IntType(8), scale=1.0, requants=(requant_params([1]),))
    assert pool.sum(own, torch.ones(1, 1, 3, 3, dtype=torch.int64)).tolist() == [[[[4, 6, 4], [6, 9, 6], [4, 6, 4]]]]
    assert pool.divisor(Shape(3, 3, 1), IntType(8)) == 9


@pytest.mark.parametrize("dtype", [IntType(4), DyBitType(4)])
@pytest.mark.parametrize("kernel, stride, padding", [(2, 2, 0), (3, 2, 1), (3, 1, 0), ((1, 3), (2, 1), (0, 0, 0, 1))])
def test_golden_pools_the_same(kernel: Sizes, stride: Sizes, padding: Sizes, dtype: IntType | DyBitType) -> None:
    requant = requant_params([7, 3], 5, dtype.min + 1, dtype.max)
    own = Integers(dtype=dtype, scale=1.0, requants=(requant,))
    assert_golden_agrees(layer(kernel, stride, padding), own, integer_images(2, 6, 7))
