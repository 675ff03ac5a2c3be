from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.frontend.build import node_name
from models.frontend.trace import TraceError, trace
from models.ir.graph import NAME
from models.ir.node import Shape
from models.layers.conv import ConvLayer
from models.plan import FloatPlan
from tests.models.nets import NETS, net, randomized

IMAGE = Shape(8, 8, 4)


@pytest.mark.parametrize("name", NETS)
def test_a_plan_computes_what_its_module_computes(name: str) -> None:
    for seed in range(3):
        model, data = net(name, seed)
        plan = trace(model, data.shape)
        x = torch.randn(3, *data.train_x.shape[1:], generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            torch.testing.assert_close(plan.logits(x), model(x).flatten(1), rtol=1e-4, atol=1e-4)


def kinds(plan: FloatPlan) -> list[tuple[str, str]]:
    return [(layer.name, layer.kind) for layer in plan.layers]


def test_layers_are_named_by_module_path_and_carry_what_follows_them() -> None:
    plan = trace(*_model_and_shape("digits_cnn"))
    assert kinds(plan) == [
        ("input", "input"),
        ("stem", "conv"),
        ("block1_conv1", "conv"),
        ("block1_conv2", "conv"),
        ("block1_add", "add"),
        ("block2_conv1", "conv"),
        ("block2_conv2", "conv"),
        ("block2_around_0", "conv"),
        ("block2_add", "add"),
        ("pool", "global_pool"),
        ("fc", "linear"),
    ]
    assert plan.quantizable_layers == tuple(layer.name for layer in plan.layers[1:])
    relu = {name for name, _ in kinds(plan) if getattr(plan[name], "clip", None) == (0.0, float("inf"))}
    assert relu == {"stem", "block1_conv1", "block1_add", "block2_conv1", "block2_add"}


def test_what_cannot_be_folded_becomes_a_layer_of_its_own() -> None:
    plan = trace(*_model_and_shape("pre_activation"))
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
    assert norm.depthwise
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
    plan = trace(*_model_and_shape("pools"))
    assert [kind for _, kind in kinds(plan)] == [
        "input", "conv", "max_pool", "conv", "avg_pool", "max_pool", "linear",
    ]  # fmt: skip
    assert plan.layers[1].clip == (0.0, float("inf"))  # type: ignore[attr-defined]


def test_activations_in_a_row_act_in_turn() -> None:
    model = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Hardtanh(-2, 3), nn.ReLU(), nn.Hardtanh(1, 2.5))
    plan = trace(model, IMAGE)
    assert plan.layers[1].clip == (1.0, 2.5)  # type: ignore[attr-defined]


def test_disjoint_pooling_by_powers_of_two_is_repeated_halving() -> None:
    x = torch.randn(2, 4, 19, 17, generator=torch.Generator().manual_seed(0))
    for model in (nn.MaxPool2d(4), nn.AvgPool2d(8)):
        plan = trace(model, Shape(19, 17, 4))
        torch.testing.assert_close(plan.logits(x), model(x).flatten(1))
    plan = trace(nn.AdaptiveAvgPool2d(2), IMAGE)
    assert [layer.kind for layer in plan.layers] == ["input", "avg_pool", "avg_pool"]


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


class Wrap(nn.Module):
    """A module whose forward is a function of it, inside a stage of the network."""

    def __init__(self, function: Callable[..., Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.inner = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.inner)


def refused(stage: nn.Module, message: str) -> None:
    model = nn.Sequential()
    model.add_module("stem", nn.Conv2d(4, 4, 1))
    model.add_module("stage", stage)
    with pytest.raises(TraceError, match=message):
        trace(model, IMAGE)


@pytest.mark.parametrize(
    "layer, message",
    [
        (nn.Conv2d(4, 4, 3, dilation=2), r"dilation \(2, 2\) is not supported: must be 1"),
        (nn.Conv2d(4, 4, 3, groups=2), "groups 2 is not supported: must be 1, or equal to in and out"),
        (nn.Conv2d(4, 8, 3, groups=4), r"groups 4 is not supported: must be 1, or equal to .* \(4, 8\)"),
        (nn.Conv2d(4, 4, (1, 3)), r"kernel_size \(1, 3\) is not supported: both directions must be equal"),
        (nn.Conv2d(4, 4, 3, padding=(0, 1)), r"padding \(0, 1\) is not supported: both"),
        (nn.Conv2d(4, 4, 3, padding=2), "padding 2 is not supported: must be 0 to 1 for kernel 3"),
        (nn.Conv2d(4, 4, 4, padding="same"), "padding 'same' is not supported: is asymmetric for kernel 4"),
        (nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), "padding_mode 'reflect' is not supported"),
        (nn.Conv2d(4, 4, 8), "kernel_size 8 is not supported: must be 1 to 7"),
        (nn.Conv2d(4, 4, 3, stride=3), "stride 3 is not supported: must be 1 or 2"),
        (nn.Conv2d(3, 4, 3), "in_channels 3 is not supported: its input has 4 channels"),
        (nn.BatchNorm2d(3), "num_features 3 is not supported: its input has 4 channels"),
        (nn.BatchNorm2d(4, track_running_stats=False), "track_running_stats False is not supported"),
        (nn.MaxPool2d(3), "stride 3 is not supported: must be 1 or 2"),
        (nn.MaxPool2d(2, ceil_mode=True), "ceil_mode True is not supported"),
        (nn.MaxPool2d(2, dilation=2), "dilation 2 is not supported"),
        (nn.MaxPool2d(2, return_indices=True), "return_indices True is not supported"),
        (nn.AvgPool2d(3, 1, 1, count_include_pad=False), "count_include_pad False is not supported"),
        (nn.AvgPool2d(2, divisor_override=3), "divisor_override 3 is not supported"),
        (nn.AdaptiveAvgPool2d(3), r"output_size \(3, 3\) is not supported: must divide its input, 8x8x4, evenly"),
        (nn.AdaptiveAvgPool2d((4, 8)), r"output_size \(2, 1\) is not supported: both directions"),
        (nn.Linear(8, 4), "input 8x8x4 is not supported: must be flattened"),
        (nn.Flatten(0), r"start_dim, end_dim \(0, -1\) is not supported"),
    ],
)
def test_an_unsupported_setting_is_named_with_its_module_path(layer: nn.Module, message: str) -> None:
    stage = nn.Sequential()
    stage.add_module("part", layer)
    refused(stage, rf"^stage\.part: {type(layer).__name__} with {message}")


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda x: F.softmax(x, 1).relu(), r"^stage\.softmax: softmax is not supported\nsupported are Conv2d, "),
        (lambda x: x * 2, r"^stage\.mul: mul is not supported"),
        (lambda x: torch.cat([x, x], 2), r"^stage\.cat: cat with dim 2 is not supported: must be 1 or -3, that of the"),
        (lambda x: torch.cat([x, torch.ones(1)], 1), r"^stage\.cat: cat with tensors tensor.* all must be tensors"),
        (
            lambda x: torch.cat([x, F.max_pool2d(x, 2)], 1),
            r"cat with tensors 8x8x4 and 4x4x4 is not supported: both must",
        ),
        (lambda x: torch.cat([x.flatten(1), x.flatten(1)], 1), r"cat with tensors .*features\] that were no images"),
        (lambda x: x.permute(0, 2, 3, 1), r"^stage\.permute: permute is not supported"),
        (lambda x: x + 1, r"^stage\.add: add with operand 1 is not supported: both must be tensors"),
        (lambda x: torch.add(x, x, alpha=2), r"^stage\.add: add with alpha 2 is not supported"),
        (lambda x: x + F.max_pool2d(x, 2), r"^stage\.add: add with operands 8x8x4 and 4x4x4 is not supported"),
        (lambda x: F.max_pool2d(x, 3), r"^stage\.max_pool2d: max_pool2d with stride 3 is not supported"),
        (lambda x: x[:, :2], r"^stage\.getitem: getitem with index"),
        (lambda x: x.view(x.size(0), 4, 64), r"^stage\.view: view with shape .*only \(n, 256\) is possible"),
        (lambda x: x.mean(1), r"^stage\.mean: mean with dim 1 is not supported: must be \(2, 3\)"),
        (lambda x: F.dropout(x, 0.5), r"^stage\.dropout: dropout with training True"),
        (lambda x: x if x.sum() > 0 else -x, r"^stage: cannot be traced"),
    ],
)
def test_an_unsupported_operation_is_named_with_its_module_path(function: Callable[..., Tensor], message: str) -> None:
    refused(Wrap(function), message)


def test_every_unsupported_operation_is_listed_at_once() -> None:
    stage = Wrap(lambda x, a, b: F.gelu(b(a(x))), nn.Sigmoid(), nn.LSTM(4, 4))
    refused(stage, r"stage\.inner\.0: Sigmoid is not .*\nstage\.inner\.1: LSTM is not .*\nstage\.gelu: gelu is not")


def test_writing_in_place_behind_the_traces_back_is_refused() -> None:
    def forward(x: Tensor, relu: nn.Module, conv: nn.Module) -> Tensor:
        y = conv(x)
        relu(y)
        return y

    refused(
        Wrap(forward, nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1)), "Sequential: computes other outputs than its trace"
    )


def test_the_rounding_of_folded_weights_is_no_other_output() -> None:
    """A batch norm whose offsets nearly cancel: folded in float32 they are a few millionths off."""
    norm = nn.BatchNorm2d(4)
    norm.running_mean, norm.running_var = torch.full((4,), 300.0), torch.full((4,), 1.7)
    norm.bias.data[:] = 300 / 1.7**0.5
    model = nn.Sequential(nn.Conv2d(2, 4, 1), norm)
    plan = trace(model, Shape(3, 3, 2))
    x = torch.randn(2, 2, 3, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(plan.logits(x), model.eval()(x).flatten(1), rtol=0, atol=1e-4)


def test_one_input_and_one_output() -> None:
    class Two(nn.Module):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return x + y

    with pytest.raises(TraceError, match=r"takes 2 inputs \(x, y\); must take 1"):
        trace(Two(), IMAGE)
    refused(Wrap(lambda x: (x, x)), "must return one tensor, not tuple")


def test_tracing_leaves_the_module_as_it_is() -> None:
    model, data = net("digits_cnn")
    model.train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    trace(model, data.shape)
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def _model_and_shape(name: str) -> tuple[nn.Module, Shape]:
    model, data = net(name)
    return model, data.shape
