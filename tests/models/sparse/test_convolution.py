"""Convolution and pooling of active sites against golden's loops and against PyTorch's dense functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.ir.formats.integer import IntType
from models.ir.ops.conv import Conv
from models.sparse import SparseTensor
from tests.models.sparse.batches import ACC, WINDOWS, batch, golden_frames, requant, weights


@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
@pytest.mark.parametrize("depthwise", [False, True])
def test_convolution_is_goldens(kernel: int, stride: int, padding: int, depthwise: bool) -> None:
    x = batch(3, 9, 7)
    weight = weights(3 if depthwise else 4, 1 if depthwise else 3, kernel, kernel)
    window: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding}
    node = Conv(
        name="conv",
        inputs=("x",),
        dtype=ACC,
        **window,
        groups=3 if depthwise else 1,
        weight=weight.long().numpy(),
        weight_dtype=IntType(4),
        requant=requant(len(weight)),
    )
    found = F.conv2d(x, weight, None, stride, padding, groups=3 if depthwise else 1)
    assert found.long().frames() == golden_frames(node, x)


def test_groups_of_channels_are_goldens() -> None:
    x = batch(6, 9, 7)
    for c_out, groups, kernel in ((4, 2, 3), (9, 3, 1), (12, 6, 3)):
        weight = weights(c_out, 6 // groups, kernel, kernel)
        node = Conv(
            name="conv", inputs=("x",), dtype=ACC, kernel=kernel, padding=kernel // 2, groups=groups,
            weight=weight.long().numpy(), weight_dtype=IntType(4), requant=requant(c_out),
        )  # fmt: skip
        found = F.conv2d(x, weight, None, 1, kernel // 2, groups=groups)
        assert found.long().frames() == golden_frames(node, x)
        dense = F.conv2d(x.to_dense(), weight, None, 1, kernel // 2, groups=groups)
        assert torch.equal(dense.permute(0, 2, 3, 1).flatten(0, 2)[x.sites.raster], found.features)


@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
def test_a_sparse_convolution_is_the_dense_one_at_its_sites(kernel: int, stride: int, padding: int) -> None:
    x = batch(3, 8, 11)
    for weight, groups in ((weights(4, 3, kernel, kernel), 1), (weights(3, 1, kernel, kernel), 3)):
        dense = F.conv2d(x.to_dense(), weight, None, stride, padding, groups=groups)
        found = F.conv2d(x, weight, None, stride, padding, groups=groups)
        assert found.shape == dense.shape
        mask = torch.zeros_like(dense[:, 0]).flatten().index_fill(0, found.sites.raster, 1).view(dense[:, 0].shape)
        assert torch.equal(found.to_dense(), dense * mask[:, None])


@pytest.mark.few(2)
@pytest.mark.parametrize("kernel, stride, padding", [(3, 1, 1), (3, 2, 1), (2, 2, 0), (5, 1, 1), (1, 1, 0), (1, 2, 0)])
def test_gradients(kernel: int, stride: int, padding: int) -> None:
    sites = batch(3, 5, 4).sites
    generator = torch.Generator().manual_seed(3)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()

    def full(features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return F.conv2d(SparseTensor(features, sites), weight, bias, stride, padding).features

    def depthwise(features: Tensor, weight: Tensor) -> Tensor:
        return F.conv2d(SparseTensor(features, sites), weight, None, stride, padding, groups=3).features

    def pools(features: Tensor) -> Tensor:
        x = F.avg_pool2d(SparseTensor(features, sites), kernel, stride, padding)
        return F.adaptive_avg_pool2d(F.max_pool2d(x, 1, 1), 1)

    check = torch.autograd.gradcheck
    assert check(full, (draw(len(sites), 3), draw(2, 3, kernel, kernel), draw(2)))
    assert check(depthwise, (draw(len(sites), 3), draw(3, 1, kernel, kernel)))
    assert check(pools, (draw(len(sites), 3),))
    # where the images themselves need no gradient
    weight = draw(2, 3, kernel, kernel)
    assert check(lambda w: full(torch.ones(len(sites), 3, dtype=torch.float64), w, torch.zeros(2)), (weight,))

    twice = torch.autograd.gradgradcheck
    assert twice(full, (draw(len(sites), 3), draw(2, 3, kernel, kernel), draw(2)))
    assert twice(depthwise, (draw(len(sites), 3), draw(3, 1, kernel, kernel)))
    # of a sum of squares, as of the sum alone there is no second gradient
    assert twice(lambda features: pools(features).square(), (draw(len(sites), 3),))


def test_golden_frames_of_empty_images() -> None:
    x = batch(2, 6, 6)
    assert len(x.long().frames()[0].sites) == 0
    y = F.conv2d(F.conv2d(x, weights(4, 2, 3, 3), None, 2, 1), weights(4, 1, 3, 3), None, 1, 1, groups=4)
    assert np.array_equal(y.long().frames()[0].mask, np.zeros((3, 3), dtype=bool))
