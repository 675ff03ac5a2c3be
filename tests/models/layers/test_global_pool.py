"""Global average pooling: sites that are not active count as zeros."""

from __future__ import annotations

import pytest
import torch

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.layers.global_pool import GlobalPoolLayer
from models.layers.integers import Integers
from models.sparse import SparseTensor
from tests.models.layers.small import assert_golden_agrees, integer_images, requant_params

POOL = GlobalPoolLayer(name="pool", inputs=("x",), shape=Shape(1, 1, 2))


def test_the_mean_is_over_every_site_of_the_frame() -> None:
    x = torch.tensor([[[[3.0, 0.0, 0.0]], [[1.0, 5.0, 0.0]]]])
    for images in (x, SparseTensor.from_dense(x)):
        assert POOL.compute(images).tolist() == [[[[1.0]], [[2.0]]]]
        assert POOL.sum(Integers(dtype=IntType(4), scale=1.0), images.long()).tolist() == [[[[3]], [[6]]]]
    assert POOL.divisor(Shape(1, 3, 2), IntType(4)) == 3


@pytest.mark.parametrize("dtype", [IntType(6), DyBitType(5)])
def test_golden_pools_the_same(dtype: DType) -> None:
    own = Integers(dtype=dtype, scale=1.0, requants=(requant_params([7, 3], 4, dtype.min, dtype.max),))
    assert_golden_agrees(POOL, own, integer_images(2, 5, 3))
