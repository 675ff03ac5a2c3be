"""The networks for grey images of 28 x 28 pixels: their stages, and how many products an image takes."""

from __future__ import annotations

import pytest

from models.frontend.trace import trace
from models.ir.node import Shape
from models.layers.conv import ConvLayer
from models.layers.layer import WeightedLayer
from models.plan import FloatPlan
from models.zoo import load_model

IMAGE = Shape(28, 28, 1)


def products(plan: FloatPlan) -> int:
    """Multiplications of an image: at every output site, one for each weight; a padded tap counts."""
    return sum(
        layer.shape.height * layer.shape.width * layer.weight.numel()
        for layer in plan.layers
        if isinstance(layer, WeightedLayer)
    )


@pytest.mark.parametrize(("name", "adds", "millions"), [("fashion_resnet", 4, 7.5), ("fashion_mobilenet", 3, 6.0)])
def test_an_image_takes_as_many_products_as_documented(name: str, adds: int, millions: float) -> None:
    plan = trace(load_model(name), IMAGE)
    assert plan[plan.output].shape == (1, 1, 10)
    assert sum(layer.kind == "add" for layer in plan.layers) == adds
    assert products(plan) == pytest.approx(1e6 * millions, rel=0.02)


def sides(name: str) -> list[int]:
    """Side of the output of every convolution with a 3 x 3 kernel, in order."""
    plan = trace(load_model(name), IMAGE)
    return [layer.shape.height for layer in plan.layers if isinstance(layer, ConvLayer) and layer.kernel == 3]


def test_resolutions_are_those_documented() -> None:
    assert sides("fashion_resnet") == [28, *[14] * 4, *[7] * 4]
    assert sides("fashion_mobilenet") == [14] * 3 + [7] * 4
