"""Published networks: the layers that their authors' weights and designs have."""

from __future__ import annotations

import json

import pytest

from benchmarks.inputs.data import DATA
from models.frontend.trace import trace
from models.ir.node import Shape
from models.layers.conv import ConvLayer
from models.layers.linear import LinearLayer
from models.plan import FloatPlan
from models.zoo import load_model
from models.zoo.published import PUBLISHED


def plan_of(name: str) -> FloatPlan:
    return trace(load_model(name), PUBLISHED[name].shape, name, sparse=True)


def convolutions(plan: FloatPlan) -> list[tuple[int, int, int, bool, bool]]:
    """(channels in, channels out, stride, depthwise, with ReLU) of every convolution."""
    return [
        (plan[layer.inputs[0]].shape.channels, len(layer.weight), layer.stride, layer.groups > 1, layer.clip[0] == 0)
        for layer in plan.layers
        if isinstance(layer, ConvLayer)
    ]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_network_becomes_a_plan(name: str) -> None:
    plan = plan_of(name)
    wanted = PUBLISHED[name]
    assert plan[plan.output].shape == Shape(1, 1, wanted.classes or wanted.head)
    residuals = sum(layer.kind == "add" for layer in plan.layers)
    assert residuals >= sum(repeats - 1 for _, _, repeats, _ in wanted.blocks)


@pytest.mark.parametrize("name, file", [("see_a", "SEE-A"), ("see_d", "SEE-D")])
def test_see_has_the_layers_of_its_published_weights(name: str, file: str) -> None:
    path = DATA / "esda_golden" / f"{file}.json"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    published = json.loads(path.read_text())
    plan = plan_of(name)
    assert list(PUBLISHED[name].shape[:2]) == published["input_hw"]
    assert convolutions(plan) == [
        (layer["in_channels"], layer["out_channels"], layer["stride"], layer["op"] == "depthwise3x3", layer["relu"])
        for layer in published["layers"]
    ]
    residuals = sum("residual_from" in layer for layer in published["layers"])
    assert sum(layer.kind == "add" for layer in plan.layers) == residuals


@pytest.mark.parametrize(
    "name, file",
    [
        ("esda_dvs_gesture", "DVS_1890_shift16-zcu102_80res"),
        ("esda_n_mnist", "NMNIST_shift16-zcu102_60res"),
        ("mobilenetv2_0p5_n_caltech101", "NCal_w0p5_shift32-zcu102_50res"),
        ("mobilenetv2_0p5_asl_dvs", "ASL_0p5_shift16-zcu102_80res"),
    ],
)
def test_esda_has_the_layers_of_its_published_designs(name: str, file: str) -> None:
    path = DATA / "esda_designs" / f"{file}.json"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    published = json.loads(path.read_text())
    plan = plan_of(name)
    assert list(PUBLISHED[name].shape[:2]) == published["input_shape"]
    wanted = []
    for layer in published["layers"]:
        if layer["type"] == "block":
            c_in, c_inner, c_out = layer["channels"]
            wanted += [(c_in, c_inner, 1, False, True), (c_inner, c_inner, layer["stride"], True, True)]
            wanted += [(c_inner, c_out, 1, False, False)]
        elif layer["type"] == "conv":
            wanted.append((*layer["channels"], layer["stride"], False, True))
    assert convolutions(plan) == wanted
    blocks = [layer for layer in published["layers"] if layer["type"] == "block"]
    assert sum(layer.kind == "add" for layer in plan.layers) == sum(block["residual"] for block in blocks)
    (linear,) = (layer for layer in plan.layers if isinstance(layer, LinearLayer))
    assert linear.weight.shape[1] == published["layers"][-1]["channels"][0]

    sides = [list(plan[layer.inputs[0]].shape[:2]) for layer in plan.layers if isinstance(layer, ConvLayer)]
    places = [layer["in_hw"] for layer in published["layers"] if layer["type"] != "linear"]
    assert sides[0] == places[0]
    assert sides[-1] == places[-1]
