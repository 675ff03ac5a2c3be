"""Layers of a plan: their names, the poolings that become several, and settings that are refused."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from models.frontend.build import node_name
from models.frontend.trace import trace
from models.ir.graph import NAME
from models.ir.node import Shape
from models.layers.windowed import WindowLayer
from tests.models.frontend.stages import IMAGE, refused


def test_disjoint_pooling_by_powers_of_two_is_repeated_halving() -> None:
    x = torch.randn(2, 4, 19, 17, generator=torch.Generator().manual_seed(0))
    for model in (nn.MaxPool2d(4), nn.AvgPool2d(8)):
        plan = trace(model, Shape(19, 17, 4))
        torch.testing.assert_close(plan.logits(x), model(x).flatten(1))
    plan = trace(nn.AdaptiveAvgPool2d(2), IMAGE)
    assert [layer.kind for layer in plan.layers] == ["input", "avg_pool", "avg_pool"]


def test_padding_becomes_part_of_what_follows() -> None:
    """As TensorFlow pads: nothing before, one after."""
    stages = (
        nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(4, 3, 3, 2)),
        nn.Sequential(nn.ConstantPad2d((0, 1, 0, 1), -math.inf), nn.MaxPool2d(3, 2)),
        nn.Sequential(nn.ReLU(), nn.ZeroPad2d((0, 1, 0, 1)), nn.MaxPool2d(3, 2)),
        nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.AvgPool2d(3, 2)),
    )
    for stage in stages:
        plan = trace(stage, IMAGE)
        window = plan.layers[-1]
        assert isinstance(window, WindowLayer)
        assert (window.padding, window.shape[:2]) == ((0, 0, 1, 1), (4, 4))
    plan = trace(nn.Sequential(nn.ZeroPad2d((0, 1)), nn.Conv2d(4, 3, (2, 4), padding=(0, 1))), IMAGE)
    assert getattr(plan.layers[-1], "padding") == (0, 1, 0, 2)  # noqa: B009


@pytest.mark.parametrize(
    "layers, message",
    [
        ((nn.ZeroPad2d(1), nn.ReLU()), r"stage\.1: ReLU with input padded by \(1, 1, 1, 1\) is not supported: only a"),
        ((nn.ConstantPad2d(1, 2.0), nn.Conv2d(4, 4, 3)), r"stage\.1: Conv2d with input padded with 2.0 .* with 0.0"),
        ((nn.ZeroPad2d(1), nn.MaxPool2d(3)), r"stage\.1: MaxPool2d with input padded with 0.0 .* with -inf"),
        ((nn.ZeroPad2d(2), nn.Conv2d(4, 4, 3)), r"stage\.1: Conv2d with padding \(2, 2, 2, 2\) .* must be 0 to 1"),
        ((nn.ZeroPad2d(-1), nn.Conv2d(4, 4, 3)), r"stage\.0: ZeroPad2d with pad \(-1, -1, -1, -1\) .* none below 0"),
    ],
)
def test_padding_that_nothing_takes_over_is_refused(layers: tuple[nn.Module, ...], message: str) -> None:
    refused(nn.Sequential(*layers), message)


def test_padding_that_ends_the_network_is_refused() -> None:
    refused(nn.ZeroPad2d(1), r"^Sequential: output with input padded by \(1, 1, 1, 1\) is not supported: only a")


@pytest.mark.parametrize("path", ["Layer1.0.Conv-1", "0", "_x", "a" * 80, "1." * 40 + "conv"])
def test_every_path_makes_a_graph_name(path: str) -> None:
    assert NAME.fullmatch(node_name(path, "global_pool"))


def test_names_are_unique_where_a_module_is_used_again() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a_layer_of_a_name_that_is_just_about_as_long_as_they_go = nn.Conv2d(4, 4, 1)
            self.input = nn.Conv2d(4, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            layer = self.a_layer_of_a_name_that_is_just_about_as_long_as_they_go
            return self.input(layer(layer(layer(x))))

    names = [layer.name for layer in trace(Twice(), IMAGE).layers]
    assert len(set(names)) == 5
    assert all(NAME.fullmatch(name) for name in names)
    assert names[-1] == "input_1"


@pytest.mark.parametrize(
    "layer, message",
    [
        (nn.Conv2d(4, 4, 2, dilation=9), r"dilation \(9, 9\) is not supported: must be 1 to 8"),
        (nn.Conv2d(4, 4, (3, 2), dilation=(4, 1)), r"kernel_size \(3, 2\) is not supported: is larger than its padded"),
        (nn.Conv2d(4, 4, (1, 3), padding=(1, 0)), r"padding \(1, 0\) is not supported: must be 0 to 0 for kernel 1"),
        (nn.Conv2d(4, 4, 3, padding=2), r"padding \(2, 2\) is not supported: must be 0 to 1 for kernel 3"),
        (nn.Conv2d(4, 4, (15, 5), padding="same"), r"kernel_size \(15, 5\) is not supported: has 75 taps; at most 64"),
        (nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), "padding_mode 'reflect' is not supported"),
        (nn.Conv2d(4, 4, (1, 16)), r"kernel_size \(1, 16\) is not supported: must be 1 to 15"),
        (nn.Conv2d(4, 4, 3, stride=5), r"stride \(5, 5\) is not supported: must be 1 to 4"),
        (nn.Conv2d(3, 4, 3), "in_channels 3 is not supported: its input has 4 channels"),
        (nn.BatchNorm2d(3), "num_features 3 is not supported: its input has 4 channels"),
        (nn.BatchNorm2d(4, track_running_stats=False), "track_running_stats False is not supported"),
        (nn.MaxPool2d(5), "stride 5 is not supported: must be 1 to 4"),
        (nn.MaxPool2d(2, 3), "stride 3 is not supported: must be at most kernel_size, 2: a window would see nothing"),
        (nn.MaxPool2d(2, ceil_mode=True), "ceil_mode True is not supported"),
        (nn.MaxPool2d(2, dilation=2), "dilation 2 is not supported"),
        (nn.MaxPool2d(2, return_indices=True), "return_indices True is not supported"),
        (nn.AvgPool2d(3, 1, 1, count_include_pad=False), "count_include_pad False is not supported"),
        (nn.AvgPool2d(2, divisor_override=3), "divisor_override 3 is not supported"),
        (nn.AdaptiveAvgPool2d(3), r"output_size \(3, 3\) is not supported: must divide its input, 8x8x4, evenly"),
        (nn.Linear(8, 4), "input 8x8x4 is not supported: must be flattened"),
        (nn.Flatten(0), r"start_dim, end_dim \(0, -1\) is not supported"),
    ],
)
def test_an_unsupported_setting_is_named_with_its_module_path(layer: nn.Module, message: str) -> None:
    stage = nn.Sequential()
    stage.add_module("part", layer)
    refused(stage, rf"^stage\.part: {type(layer).__name__} with {message}")
