"""From a module to its plan: the same outputs, and what cannot be traced, named with its module path."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.frontend.trace import TraceError, trace
from models.ir.node import Shape
from tests.models.frontend.stages import IMAGE, Wrap, kinds, model_and_shape, refused
from tests.models.nets import NETS, net


@pytest.mark.parametrize("name", NETS)
def test_a_plan_computes_what_its_module_computes(name: str) -> None:
    for seed in range(3):
        model, data = net(name, seed)
        plan = trace(model, data.shape)
        x = torch.randn(3, *data.train_x.shape[1:], generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            torch.testing.assert_close(plan.logits(x), model(x).flatten(1), rtol=1e-4, atol=1e-4)


def test_layers_are_named_by_module_path_and_carry_what_follows_them() -> None:
    plan = trace(*model_and_shape("digits_cnn"))
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


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda x: F.softmax(x, 1).relu(), r"^stage\.softmax: softmax is not supported\nsupported are Conv2d, "),
        (lambda x: x * 2, r"^stage\.mul: mul is not supported"),
        (lambda x: x.permute(0, 2, 3, 1), r"^stage\.permute: permute is not supported"),
        (lambda x: x if x.sum() > 0 else -x, r"^stage: cannot be traced"),
    ],
)
def test_an_unsupported_operation_is_named_with_its_module_path(function: Callable[..., Tensor], message: str) -> None:
    refused(Wrap(function), message)


def test_every_unsupported_operation_is_listed_at_once() -> None:
    stage = Wrap(lambda x, a, b: F.glu(b(a(x))), nn.Softmax(1), nn.LSTM(4, 4))
    refused(stage, r"stage\.inner\.0: Softmax is not .*\nstage\.inner\.1: LSTM is not .*\nstage\.glu: glu is not")


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
