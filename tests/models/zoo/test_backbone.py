"""Inverted residuals: which blocks have a shortcut, what a block computes, and how stages follow from a description."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from models.zoo.backbone import Backbone, InvertedResidual, conv_norm


@pytest.mark.parametrize(("c_out", "stride", "shortcut"), [(4, 1, True), (4, 2, False), (6, 1, False)])
def test_only_a_block_that_keeps_the_shape_has_a_shortcut(c_out: int, stride: int, shortcut: bool) -> None:
    """With its last normalization zeroed, a block leaves nothing but the shortcut."""
    block = InvertedResidual(4, 8, c_out, stride).eval()
    norm = block.project[-1]
    assert isinstance(norm, nn.BatchNorm2d)
    norm.weight.data.zero_()
    x = torch.randn(2, 4, 6, 6)
    y = block(x)
    assert torch.equal(y, x if shortcut else torch.zeros(2, c_out, 6 // stride, 6 // stride))


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_a_block_expands_filters_each_channel_and_projects(kernel: int) -> None:
    block = InvertedResidual(2, 6, 3, 2, kernel).eval()
    x = torch.randn(1, 2, 9, 9)
    expand, depthwise, project = (
        part.get_parameter("conv.weight") for part in (block.expand, block.depthwise, block.project)
    )
    y = torch.einsum("oi,nihw->nohw", expand[:, :, 0, 0], x)
    # fresh normalizations divide by the root of 1 + eps
    gain = (1 + 1e-5) ** -0.5
    y = (y * gain).relu()
    y = torch.cat([F.conv2d(y[:, [c]], depthwise[[c]], None, 2, kernel // 2) for c in range(6)], 1)
    y = torch.einsum("oi,nihw->nohw", project[:, :, 0, 0], (y * gain).relu()) * gain
    torch.testing.assert_close(block(x), y)


def test_only_the_first_block_of_a_stage_has_its_stride() -> None:
    model = Backbone(2, 4, [(2, 8, 3, 2), (1, 8, 2, 1)], 16, None).eval()
    shapes: list[tuple[int, ...]] = []
    for block in model.blocks:
        block.register_forward_hook(lambda _module, _inputs, output: shapes.append(tuple(output.shape[1:])))
    features = model(torch.zeros(1, 2, 16, 16))
    assert shapes == [(8, 4, 4)] * 5
    assert features.shape == (1, 16), "without classes it ends in the head's features"
    assert [block.residual for block in model.blocks] == [False, True, True, True, True]


def test_without_an_activation_values_below_zero_stay() -> None:
    layer = conv_norm(1, 1, 1, activation=False).eval()
    layer.get_parameter("conv.weight").data.fill_(1.0)
    assert layer(torch.tensor([[[[-2.0]]]])).item() == pytest.approx(-2, rel=1e-4)
