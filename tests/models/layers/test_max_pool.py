"""Max pooling: padding and sites that are not active are never the largest, and integers stay exact."""

from __future__ import annotations

import pytest
import torch

from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.window import Sizes
from models.layers.integers import Integers
from models.layers.max_pool import MaxPoolLayer
from tests.models.layers.small import assert_golden_agrees, integer_images

OWN = Integers(dtype=IntType(4), scale=1.0)


def layer(kernel: Sizes, stride: Sizes, padding: Sizes) -> MaxPoolLayer:
    shape = Shape(1, 1, 2)
    return MaxPoolLayer(name="pool", inputs=("x",), shape=shape, kernel=kernel, stride=stride, padding=padding)


def test_padding_is_below_every_number() -> None:
    x = torch.tensor([[[[-5.0, -3.0], [-4.0, -9.0]]]])
    assert layer(3, 1, 1).compute(x).tolist() == [[[[-3.0, -3.0], [-3.0, -3.0]]]]
    assert layer(2, 2, 0).compute(x).tolist() == [[[[-3.0]]]]


def test_integers_that_float32_rounds_stay_exact() -> None:
    x = torch.tensor([(1 << 40) + 1, 1 << 40]).view(1, 1, 1, 2)
    assert layer(1, 1, 0).integer(OWN, x).flatten().tolist() == [(1 << 40) + 1, 1 << 40]


@pytest.mark.parametrize("kernel, stride, padding", [(2, 2, 0), (3, 2, 1), (3, 1, 0), ((1, 3), (1, 2), (0, 0, 0, 1))])
def test_golden_pools_the_same(kernel: Sizes, stride: Sizes, padding: Sizes) -> None:
    assert_golden_agrees(layer(kernel, stride, padding), OWN, integer_images(2, 6, 7))
