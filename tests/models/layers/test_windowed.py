"""Padding of the float layers: what PyTorch's functions cannot express comes before them."""

from __future__ import annotations

import torch

from models.ir.node import Shape
from models.ir.window import Sizes
from models.layers.max_pool import MaxPoolLayer


def pool(padding: Sizes) -> MaxPoolLayer:
    return MaxPoolLayer(name="pool", inputs=("x",), shape=Shape(2, 2, 1), kernel=(3, 2), stride=(2, 1), padding=padding)


def test_sides_and_strides_are_rows_and_columns() -> None:
    assert pool(0).sides == (3, 2)
    assert pool(0).strides == (2, 1)


def test_padding_alike_on_both_sides_is_left_to_pytorch() -> None:
    images = torch.ones(1, 1, 2, 2)
    padded, padding = pool((1, 0)).padded(images)
    assert padded is images
    assert padding == (1, 0)


def test_other_padding_is_put_around_the_images() -> None:
    # top 1, left 0, bottom 0, right 1
    padded, padding = pool((1, 0, 0, 1)).padded(torch.ones(1, 1, 2, 2), value=7.0)
    assert padding == (0, 0)
    assert padded.tolist() == [[[[7, 7, 7], [1, 1, 7], [1, 1, 7]]]]
