"""Golden against a quantized network whose numbers differ, and float networks that overflow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.ir.node import Shape
from models.layers.conv import ConvLayer
from models.layers.input import InputLayer
from models.layers.layer import Layer
from models.plan import FloatPlan
from models.quant import quantize
from models.verify import OVERFLOW_SAMPLE, GoldenMismatch, OverflowingError, compare_with_golden, refuse_overflow
from tests.models.nets import net, random_data


def test_golden_mismatch_is_found() -> None:
    model, data = net("depthwise")
    network = quantize(model, data, "int4", epochs=0)
    graph = network.export()
    compare_with_golden(network, graph, data, 2)
    node = graph["conv_3"]
    np.asarray(node.requant.bias)[0] += 1 << 12  # type: ignore[attr-defined]
    with pytest.raises(GoldenMismatch, match=r"node 'conv_3' of test image 0"):
        compare_with_golden(network, graph, data, 2)


def plan_of(weights: tuple[float, ...], sparse: bool = False) -> FloatPlan:
    """Images of 4 by 4, each pixel multiplied by one weight after the other."""
    layers: list[Layer] = [InputLayer(name="input", shape=Shape(4, 4, 1), sparse=sparse)]
    for number, weight in enumerate(weights):
        kernel = torch.full((1, 1, 1, 1), weight)
        layers.append(
            ConvLayer(
                name=f"conv{number}",
                inputs=(layers[-1].name,),
                shape=Shape(4, 4, 1),
                weight=kernel,
                bias=torch.zeros(1),
            )
        )
    return FloatPlan("net", tuple(layers), layers[-1].name)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("weights, name", [((3e38, 1.0), "conv0"), ((-1e20, 1e20), "conv1"), ((1.0, 3e38), "conv1")])
def test_a_layer_whose_outputs_are_not_finite_is_named(sparse: bool, weights: tuple[float, ...], name: str) -> None:
    """Pixels are up to 15/8, and a float is below 3.5e38."""
    data = random_data(1, 4, sparse=sparse)
    refuse_overflow(plan_of((1e20, 1e17), sparse), data)
    with pytest.raises(OverflowingError) as error:
        refuse_overflow(plan_of(weights, sparse), data)
    assert str(error.value) == (
        f"network 'net', layer '{name}': its outputs on 'random' are not finite; the images or the weights up to it "
        "are too large, or its training has diverged"
    )


def test_only_the_first_images_are_looked_at() -> None:
    """One image overflows: the last that is looked at, or the one behind it."""
    plan, data = plan_of((3e38,)), random_data(1, 4)
    x = np.zeros((OVERFLOW_SAMPLE + 1, 1, 4, 4), np.float32)
    x[OVERFLOW_SAMPLE] = 1.5
    labels = np.arange(len(x)) % 5
    refuse_overflow(plan, replace(data, train_x=x, train_y=labels))
    x = np.roll(x, -1, axis=0)
    with pytest.raises(OverflowingError, match="layer 'conv0'"):
        refuse_overflow(plan, replace(data, train_x=x, train_y=labels))
