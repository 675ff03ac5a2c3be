"""An activation on its own: the input, clipped and requantized."""

from __future__ import annotations

import pytest
import torch

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.layers.clip import ClipLayer
from models.layers.integers import Integers
from tests.models.layers.small import assert_golden_agrees, integer_images, requant_params

RELU6 = ClipLayer(name="relu6", inputs=("x",), shape=Shape(1, 6, 1), clip=(0.0, 6.0))


def test_values_are_clipped_in_float() -> None:
    assert RELU6.clipped(torch.tensor([-1.0, 0.25, 6.5])).tolist() == [0.0, 0.25, 6.0]


def test_integers_are_scaled_rounded_half_up_and_clipped() -> None:
    """Three quarters of 1, 2, 3, 6: 0.75, 1.5, 2.25, 4.5."""
    own = Integers(dtype=IntType(4), scale=1.0, requants=(requant_params([3], 2, 0, 6),))
    x = torch.tensor([-5, 1, 2, 3, 6, 100]).view(1, 1, 1, 6)
    assert RELU6.integer(own, x).flatten().tolist() == [0, 1, 2, 2, 5, 6]


@pytest.mark.parametrize("dtype", [IntType(3), DyBitType(4, False)])
def test_golden_requantizes_the_same(dtype: DType) -> None:
    requant = requant_params([3, 11], 3, max(dtype.min, -2), dtype.max, bias=1)
    assert_golden_agrees(RELU6, Integers(dtype=dtype, scale=1.0, requants=(requant,)), integer_images(2, 4, 4))
