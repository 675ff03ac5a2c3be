"""The concatenation of channels: the first input's first, each with a multiplier of its own."""

from __future__ import annotations

import pytest
import torch

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.layers.concat import ConcatLayer
from models.layers.integers import Integers
from tests.models.layers.small import assert_golden_agrees, integer_images, requant_params

CONCAT = ConcatLayer(name="concat", inputs=("a", "b"), shape=Shape(1, 1, 3))


def test_channels_keep_their_order_and_take_their_multipliers() -> None:
    own = Integers(dtype=IntType(8), scale=1.0, requants=(requant_params([4, 1, 2], 1),))
    a, b = torch.tensor([10, 20]).view(1, 2, 1, 1), torch.tensor([-31]).view(1, 1, 1, 1)
    assert CONCAT.compute(a, b).flatten().tolist() == [10, 20, -31]
    assert CONCAT.integer(own, a, b).flatten().tolist() == [20, 10, -31]


@pytest.mark.parametrize("dtype", [IntType(3), DyBitType(3)])
def test_golden_concatenates_the_same(dtype: DType) -> None:
    own = Integers(dtype=dtype, scale=1.0, requants=(requant_params([3, 5, 9], 4, dtype.min, dtype.max),))
    assert_golden_agrees(CONCAT, own, integer_images(1, 4, 5), integer_images(2, 4, 5, seed=1))
