"""Batch normalisation: a scale and an offset for each channel, which never become integers."""

from __future__ import annotations

import pytest
import torch

from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.layers.batch_norm import BatchNormLayer
from models.layers.integers import Integers

NORM = BatchNormLayer(
    name="bn", inputs=("x",), shape=Shape(1, 2, 2), scale=torch.tensor([2.0, -1.0]), offset=torch.tensor([0.5, 3.0])
)


def test_each_channel_has_its_own_scale_and_offset() -> None:
    x = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    assert NORM.compute(x).tolist() == [[[[2.5, 4.5]], [[0.0, -1.0]]]]


def test_it_has_neither_integers_nor_a_node() -> None:
    own = Integers(dtype=IntType(4), scale=1.0)
    for function in (lambda: NORM.integer(own, torch.zeros(1, 2, 1, 2)), lambda: NORM.node(own)):
        with pytest.raises(TypeError) as caught:
            function()
        assert str(caught.value) == "layer 'bn': a batch norm is folded into other layers before it is quantized"
