"""The input layer: what a module takes for images, and images off their grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.normalization import Normalization
from models.layers.input import InputLayer
from models.layers.integers import Integers
from models.sparse import SparseTensor
from tests.models.nets import quantized

NUMBERS = Normalization((10.0, 20.0), (4.0, 0.5))


@pytest.mark.parametrize("value", [2.0, 0.03, -0.125])
def test_images_off_the_input_grid_are_refused(value: float) -> None:
    network = quantized("depthwise", "int8")
    x = torch.full((1, 2, 9, 9), value)
    with pytest.raises(ValueError, match=r"input images must hold 0\.125 times integers of uint4, 0 to 15"):
        network.logits(x)


def images() -> Tensor:
    """Two images of 1 x 1 with two channels, the second of them zero."""
    return torch.tensor([[1.0, -2.0], [0.0, 0.0]])[:, :, None, None]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [[[[1.0]], [[-2.0]]], [[[0.0]], [[0.0]]]]),
        ({"flat": True}, [[1.0, -2.0], [0.0, 0.0]]),
        # the numbers behind the images: 1 * 4 + 10 and -2 * 0.5 + 20
        ({"normalization": NUMBERS, "restored": True, "flat": True}, [[14.0, 19.0], [10.0, 20.0]]),
        ({"normalization": NUMBERS, "flat": True}, [[1.0, -2.0], [0.0, 0.0]]),
        ({"restored": True, "flat": True}, [[1.0, -2.0], [0.0, 0.0]]),
    ],
)
def test_a_module_takes_images_or_the_numbers_behind_them(fields: dict[str, Any], expected: list[Any]) -> None:
    layer = InputLayer(name="input", shape=Shape(1, 1, 2), **fields)
    assert layer.module_input(images()).tolist() == expected


def test_sparse_images_have_the_sites_that_are_not_all_zero() -> None:
    layer = InputLayer(name="input", shape=Shape(1, 1, 2), sparse=True)
    result = layer.compute(images())
    assert isinstance(result, SparseTensor)
    assert (result.sites.raster.tolist(), result.features.tolist()) == ([0], [[1.0, -2.0]])
    assert layer.compute(result) is result


def test_images_become_integers_of_their_grid() -> None:
    """A thousandth of a step off is what float32 makes of the grid; the least and the largest integer are in it."""
    own = Integers(dtype=IntType(4), scale=0.5)
    layer = InputLayer(name="input", shape=Shape(1, 3, 1))
    assert layer.integer(own, torch.tensor([[[[-4.0, 0.5004, 3.5]]]])).tolist() == [[[[-8, 1, 7]]]]
    for value in (0.51, 4.0, -4.5):
        with pytest.raises(ValueError, match=r"^input images must hold 0\.5 times integers of int4, -8 to 7$"):
            layer.integer(own, torch.tensor([[[[value, 0.0, 0.0]]]]))


def test_the_node_says_what_an_integer_stands_for() -> None:
    layer = InputLayer(name="input", shape=Shape(1, 1, 2), sparse=True, normalization=NUMBERS)
    node = layer.node(Integers(dtype=IntType(4), scale=0.5))
    assert (node.shape, node.sparse, node.offset, node.unit) == (Shape(1, 1, 2), True, (10.0, 20.0), (4.0, 0.5))
    # of the numbers 14 and 19, pixels 1 and -2 in steps of a half
    assert node.encode(np.array([[14.0, 19.0]])).tolist() == [[2, -4]]
