"""Passes over a plan: where batch norms and activations go, and that the plan computes what it did."""

from __future__ import annotations

from torch import nn

from models.frontend.trace import trace
from models.ir.node import Shape
from models.layers.conv import ConvLayer
from tests.models.frontend.stages import IMAGE, kinds, model_and_shape
from tests.models.nets import randomized


def test_what_cannot_be_folded_becomes_a_layer_of_its_own() -> None:
    plan = trace(*model_and_shape("pre_activation"))
    assert kinds(plan)[1:] == [
        ("input_bn", "conv"),
        ("conv1", "conv"),
        ("relu", "requantize"),
        ("conv2", "conv"),
        ("add", "add"),
        ("bn", "conv"),
        ("mean", "global_pool"),
        ("fc", "linear"),
    ]
    norm = plan["bn"]
    assert isinstance(norm, ConvLayer)
    assert norm.groups == len(norm.weight) > 1
    assert norm.clip == (0.0, float("inf"))


def test_batch_norms_go_into_the_layers_after_them_that_see_no_padding() -> None:
    def first(*layers: nn.Module, shape: Shape = IMAGE, sparse: bool = False) -> list[str]:
        model = randomized(nn.Sequential(nn.BatchNorm2d(4), *layers), 0)
        return [name for name, _ in kinds(trace(model, shape, sparse=sparse))[1:]]

    assert first(nn.Conv2d(4, 3, 3)) == ["conv_1"]
    assert first(nn.Conv2d(4, 3, 3, padding=1)) == ["batch_norm_0", "conv_1"], (
        "the padding is zero after the batch norm"
    )
    assert first(nn.BatchNorm2d(4), nn.Conv2d(4, 4, 2, groups=4)) == ["conv_2"]
    assert first(nn.Flatten(), nn.Linear(256, 3)) == ["linear_2"]
    assert first(nn.Conv2d(4, 3, 1), sparse=True) == ["conv_1"]
    for layer in (nn.Conv2d(4, 3, 3, padding=1), nn.Conv2d(4, 3, 1, stride=2)):
        assert first(layer, sparse=True) == ["batch_norm_0", "conv_1"], (
            "what is not active is zero after the batch norm"
        )
    features = nn.BatchNorm1d(4), nn.Linear(4, 6), nn.ReLU(), nn.BatchNorm1d(6), nn.Linear(6, 2)
    plan = trace(randomized(nn.Sequential(nn.Flatten(), *features), 0), Shape(1, 1, 4))
    assert kinds(plan)[1:] == [("linear_2", "linear"), ("linear_5", "linear")]


def test_an_activation_moves_past_max_pooling() -> None:
    plan = trace(*model_and_shape("pools"))
    assert [kind for _, kind in kinds(plan)] == [
        "input", "conv", "max_pool", "conv", "avg_pool", "max_pool", "linear",
    ]  # fmt: skip
    assert plan.layers[1].clip == (0.0, float("inf"))  # type: ignore[attr-defined]


def test_activations_in_a_row_act_in_turn() -> None:
    model = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Hardtanh(-2, 3), nn.ReLU(), nn.Hardtanh(1, 2.5))
    plan = trace(model, IMAGE)
    assert plan.layers[1].clip == (1.0, 2.5)  # type: ignore[attr-defined]
