"""The network for a 32 x 32 event camera: its stages, and what it learns."""

from __future__ import annotations

import pytest

from models.data import load
from models.evaluate import accuracy
from models.frontend.trace import trace
from models.ir.node import Shape
from models.quant import quantize
from models.train import train
from models.verify import compare_with_golden
from models.zoo import load_model


@pytest.mark.slow
def test_digits_dvs_net_learns_digits_dvs_and_keeps_it_in_integers() -> None:
    images = load("digits_dvs")
    network = train(load_model("digits_dvs_net"), images, epochs=20)
    assert accuracy(network, images, "test").value > 0.95
    for form, least in (("int8", 0.96), ("int4", 0.94), ("dybit4", 0.94)):
        quantized = quantize(network, images, form, epochs=3)
        assert accuracy(quantized, images, "test").value > least
        compare_with_golden(quantized, quantized.export(), images, 20)


def test_stages_halve_the_sides_to_4_x_4() -> None:
    plan = trace(load_model("digits_dvs_net"), Shape(32, 32, 2), sparse=True)
    assert {layer.name: layer.shape for layer in plan.layers} == {
        "input": (32, 32, 2),
        "conv1_conv": (16, 16, 12),
        "conv2_conv": (8, 8, 24),
        "block_expand_conv": (8, 8, 24),
        "block_depthwise_conv": (8, 8, 24),
        "block_project_conv": (8, 8, 24),
        "block_add": (8, 8, 24),
        "conv3_conv": (4, 4, 32),
        "pool": (1, 1, 32),
        "fc": (1, 1, 10),
    }
