from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks.inputs.data import DATA
from models.data import load
from models.evaluate import accuracy
from models.frontend.trace import trace
from models.ir.node import Shape
from models.layers.conv import ConvLayer
from models.layers.linear import LinearLayer
from models.plan import FloatPlan
from models.quant import quantize
from models.train import train
from models.verify import compare_with_golden
from models.zoo import MODELS, TRAINED, ModelError, load_model
from models.zoo.published import PUBLISHED


def test_a_model_follows_its_seed_and_leaves_the_random_state_alone() -> None:
    before = torch.random.get_rng_state()
    one, same, other = (load_model("digits_cnn", seed) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    weights = [torch.cat([p.flatten() for p in model.parameters()]) for model in (one, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_digits_cnn_is_small_and_residual() -> None:
    model = load_model("digits_cnn")
    assert 15_000 <= sum(p.numel() for p in model.parameters()) <= 25_000
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in model.modules()) <= 8
    assert model(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_a_users_model_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text("WIDTH = 3\n")
    (tmp_path / "net.py").write_text(
        "import torch.nn as nn\nfrom parts import WIDTH\n"
        "def build(): return nn.Conv2d(1, WIDTH, 3)\ndef wrong(): return 'net'\n"
    )
    model = load_model(f"{tmp_path}/net.py:build")
    assert isinstance(model, nn.Conv2d)
    assert torch.equal(model.weight, load_model(f"{tmp_path}/net.py:build").weight)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"must return a torch\.nn\.Module, not str"):
        load_model(f"{tmp_path}/net.py:wrong")


def test_unknown_models_are_named() -> None:
    with pytest.raises(ModelError, match=rf"did you mean '\w+'\? valid are {', '.join([*MODELS, *TRAINED])}, or"):
        load_model("resnet")


def plan_of(name: str) -> FloatPlan:
    return trace(load_model(name), PUBLISHED[name].shape, name, sparse=True)


def convolutions(plan: FloatPlan) -> list[tuple[int, int, int, bool, bool]]:
    """(channels in, channels out, stride, depthwise, with ReLU) of every convolution."""
    return [
        (plan[layer.inputs[0]].shape.channels, len(layer.weight), layer.stride, layer.depthwise, layer.clip[0] == 0)
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


@pytest.mark.slow
def test_digits_dvs_net_learns_digits_dvs_and_keeps_it_in_integers() -> None:
    images = load("digits_dvs")
    network = train(load_model("digits_dvs_net"), images, epochs=20)
    assert accuracy(network, images, "test").value > 0.95
    for form, least in (("int8", 0.96), ("int4", 0.94), ("dybit4", 0.94)):
        quantized = quantize(network, images, form, epochs=3)
        assert accuracy(quantized, images, "test").value > least
        compare_with_golden(quantized, quantized.export(), images, 20)
