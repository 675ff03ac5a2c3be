"""Sequences in a traced network: the layers of images of one row, beside PyTorch's own results."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.frontend.trace import TraceError, trace, trace_for
from models.ir.node import Shape
from models.layers.input import InputLayer
from models.plan import FloatPlan
from tests.models.frontend.stages import IMAGE, Wrap

ROW = Shape(1, 20, 4)


def trace_row(model: nn.Module) -> FloatPlan:
    return trace_for(model, InputLayer(name="input", shape=ROW, sequence=True))


LAYERS: list[nn.Module] = [
    nn.Conv1d(4, 6, 9, stride=4, padding=3),
    nn.Conv1d(4, 6, 3, padding="same", dilation=2, groups=2),
    nn.Conv1d(4, 4, 5, padding="valid", groups=4, bias=False),
    nn.BatchNorm1d(4).eval(),
    nn.MaxPool1d(3, 2, 1),
    nn.MaxPool1d(2),
    nn.AvgPool1d(4, 2),
    nn.AdaptiveAvgPool1d(5),
    nn.AdaptiveAvgPool1d(1),
    nn.Sequential(nn.ZeroPad1d((0, 2)), nn.Conv1d(4, 3, 5, stride=2)),
    nn.Sequential(nn.ConstantPad1d((1, 1), -torch.inf), nn.MaxPool1d(3)),
    nn.Sequential(nn.Dropout1d(), nn.SiLU()),
    Wrap(lambda x, own: F.conv1d(x, own.weight, None, (2,), 1, 1, 1), nn.Conv1d(4, 2, 3)),
    Wrap(lambda x: F.max_pool1d(F.relu(x), 2) + F.avg_pool1d(x, 2)),
    Wrap(lambda x: F.adaptive_avg_pool1d(x, 10)),
    Wrap(lambda x: x.mean(2)),
    Wrap(lambda x: x.mean(dim=-1, keepdim=True)),
    Wrap(lambda x: torch.cat([x, x.relu()], 1)),
    Wrap(lambda x: torch.cat([x.relu(), x], -2)),
    Wrap(lambda x: x.view(x.size(0), -1)),
    Wrap(lambda x: x.reshape(x.shape[0], -1)),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_a_layer_of_sequences_is_one_of_images_of_one_row(layer: nn.Module) -> None:
    x = torch.randn(3, 4, 20, generator=torch.Generator().manual_seed(0))
    plan = trace_row(nn.Sequential(nn.Identity(), layer.eval(), nn.Flatten()))
    torch.testing.assert_close(plan.logits(x[:, :, None]), layer(x).flatten(1))


REFUSED: list[tuple[Callable[[Tensor], Tensor], str]] = [
    (lambda x: F.conv2d(x, torch.ones(2, 4, 1, 3)), r"input \[n, C, L\] is not supported: must be images"),
    (lambda x: F.max_pool2d(x, 2), r"input \[n, C, L\] is not supported: must be images"),
    (lambda x: F.conv1d(x, torch.ones(2, 4, 16)), r"kernel_size \(1, 16\) is not supported: must be 1 to 15"),
    (lambda x: x.mean(1), r"dim 1 is not supported: must be \(2, 3\), or 2 of sequences"),
    (lambda x: F.max_pool1d(x, 2, ceil_mode=True), "ceil_mode True is not supported"),
]


@pytest.mark.parametrize(("function", "message"), REFUSED)
def test_what_a_sequence_cannot_do_is_named(function: Callable[[Tensor], Tensor], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        trace_row(Wrap(function))


def test_images_are_no_sequences() -> None:
    with pytest.raises(TraceError, match=r"conv1d with input \[n, C, H, W\] is not supported: must be sequences"):
        trace(Wrap(lambda x: F.conv1d(x, torch.ones(2, 4, 3))), IMAGE)
    with pytest.raises(TraceError, match="Conv1d with padding_mode 'reflect' is not supported"):
        trace_row(nn.Sequential(nn.Conv1d(4, 4, 3, padding=1, padding_mode="reflect")))
