"""The network for a 34 x 34 event camera: its stages, whose sides are odd."""

from __future__ import annotations

from models.frontend.trace import trace
from models.ir.node import Shape
from models.zoo import load_model


def test_stages_halve_odd_sides_upward() -> None:
    plan = trace(load_model("n_mnist_net"), Shape(34, 34, 2), sparse=True)
    shapes = {layer.name: layer.shape for layer in plan.layers}
    assert [shapes[name] for name in ("conv1_conv", "conv2_conv", "block1_add", "block2_add", "conv3_conv")] == [
        (17, 17, 24),
        (9, 9, 48),
        (9, 9, 48),
        (9, 9, 48),
        (5, 5, 96),
    ]
    assert [shapes[name] for name in ("block1_expand_conv", "block1_depthwise_conv", "head_conv", "fc")] == [
        (9, 9, 96),
        (9, 9, 96),
        (5, 5, 128),
        (1, 1, 10),
    ]
