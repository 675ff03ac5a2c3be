"""Convolution and pooling of active sites against golden's loops and against PyTorch's dense functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.conv import Conv
from models.ir.ops.max_pool import MaxPool
from models.ir.ops.windowed import WindowNode
from models.ir.requant import Requant
from models.sparse import SparseTensor

WINDOWS = [(k, s, p) for k in range(1, 8) for s in (1, 2) for p in range((k - 1) // 2 + 1)]
DENSITIES = (0.0, 0.02, 0.2, 0.6, 1.0)
ACC = IntType(32)


def batch(channels: int, height: int, width: int, seed: int = 0, low: int = -8, high: int = 8) -> SparseTensor:
    """float64 integers; an image of each density, the first of them empty."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(low, high, (len(DENSITIES), channels, height, width), generator=generator).double()
    mask = torch.rand(len(DENSITIES), height, width, generator=generator) < torch.tensor(DENSITIES)[:, None, None]
    return SparseTensor.from_dense(x, mask)


def weights(*shape: int) -> Tensor:
    return torch.randint(-8, 8, shape, generator=torch.Generator().manual_seed(1)).double()


def requant(channels: int) -> Requant:
    return Requant.identity(channels, ACC.min, ACC.max)


def frames(node: WindowNode, x: SparseTensor) -> list[Frame]:
    return [node.compute(frame) for frame in x.long().frames()]


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
        depthwise=depthwise,
        weight=weight.long().numpy(),
        weight_dtype=IntType(4),
        requant=requant(len(weight)),
    )
    found = F.conv2d(x, weight, None, stride, padding, groups=3 if depthwise else 1)
    assert found.long().frames() == frames(node, x)


@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
def test_pooling_is_goldens(kernel: int, stride: int, padding: int) -> None:
    x = batch(3, 9, 7)
    window: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding}
    mean = AvgPool(name="mean", inputs=("x",), dtype=ACC, **window, requant=requant(3))
    if (kernel, stride) != (1, 2):
        largest = MaxPool(name="largest", inputs=("x",), dtype=ACC, **window)
        assert F.max_pool2d(x, kernel, stride, padding).long().frames() == frames(largest, x)
    found = F.avg_pool2d(x, kernel, stride, padding, divisor_override=1)
    assert found.long().frames() == frames(mean, x)


def test_windows_that_see_nothing_are_zero_and_a_pooling_with_such_is_refused() -> None:
    x = SparseTensor.from_dense(torch.ones(1, 2, 4, 4), torch.eye(4)[None] == 0)
    y = F.conv2d(x, torch.ones(3, 2, 1, 1), None, 2)
    # every cell has an active site, but the windows see the diagonal's, where there is none
    assert y.sites.full
    assert torch.equal(y.to_dense()[0, 0], torch.tensor([[0.0, 2.0], [2.0, 0.0]]))
    with pytest.raises(ValueError, match="kernel_size 1 of a SparseTensor: must be at least the stride, 2"):
        F.max_pool2d(x, 1, 2)


@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
def test_a_sparse_convolution_is_the_dense_one_at_its_sites(kernel: int, stride: int, padding: int) -> None:
    x = batch(3, 8, 11)
    for weight, groups in ((weights(4, 3, kernel, kernel), 1), (weights(3, 1, kernel, kernel), 3)):
        dense = F.conv2d(x.to_dense(), weight, None, stride, padding, groups=groups)
        found = F.conv2d(x, weight, None, stride, padding, groups=groups)
        assert found.shape == dense.shape
        mask = torch.zeros_like(dense[:, 0]).flatten().index_fill(0, found.sites.raster, 1).view(dense[:, 0].shape)
        assert torch.equal(found.to_dense(), dense * mask[:, None])


LAYERS: list[nn.Module] = [
    nn.Conv2d(4, 6, 3, padding=1),
    nn.Conv2d(4, 4, 5, 2, padding=2, groups=4),
    nn.Conv2d(4, 4, 4, padding="valid", bias=False),
    nn.Conv2d(4, 4, 3, padding="same"),
    nn.Conv2d(4, 2, 1, 2),
    nn.BatchNorm2d(4),
    nn.ReLU(),
    nn.ReLU6(inplace=True),
    nn.Hardtanh(-0.5, 0.7),
    nn.MaxPool2d(3, 2, 1),
    nn.MaxPool2d(4),
    nn.AvgPool2d(2),
    nn.AvgPool2d(8),
    nn.AvgPool2d(3, 1, 1),
    nn.AdaptiveAvgPool2d(1),
    nn.AdaptiveAvgPool2d(4),
    nn.AdaptiveAvgPool2d((8, None)),
    nn.Identity(),
    nn.Dropout(0.0),
    nn.Dropout2d(0.0),
    nn.Flatten(),
]


@pytest.mark.few(12)
@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_with_every_site_active_a_layer_is_the_dense_one(layer: nn.Module, training: bool) -> None:
    layer = layer.double().train(training)
    x = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wanted = layer(x.clone())
    found = layer(SparseTensor.from_dense(x.clone(), torch.ones(3, 8, 8) > 0))
    if isinstance(found, SparseTensor):
        assert found.sites.full
        found = found.to_dense()
    torch.testing.assert_close(found, wanted)


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


def test_batch_norm_takes_active_sites_alone() -> None:
    norm = nn.BatchNorm2d(3, momentum=1.0).double()
    x = batch(3, 9, 7)
    y = norm(x)
    torch.testing.assert_close(norm.running_mean, x.features.mean(dim=0))
    torch.testing.assert_close(norm.running_var, x.features.var(dim=0))
    torch.testing.assert_close(y.features.mean(dim=0), torch.zeros(3, dtype=torch.float64))
    assert y.sites is x.sites
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    for sites in (0, 1):
        mask = torch.zeros(1, 9, 7) > 0
        mask.view(-1)[:sites] = True
        few = SparseTensor.from_dense(torch.ones(1, 3, 9, 7, dtype=torch.float64), mask)
        assert torch.equal(norm(few).features, norm.eval()(few).features)
        norm.train()
    assert torch.equal(before["running_mean"], norm.running_mean)


def test_the_mean_over_an_image_counts_sites_that_are_not_there() -> None:
    x = batch(3, 9, 7)
    wanted = x.to_dense().mean(dim=(2, 3))
    assert torch.equal(x.mean((2, 3)), wanted)
    assert torch.equal(torch.mean(x, (-1, -2), keepdim=True), wanted[:, :, None, None])
    assert torch.equal(nn.AdaptiveAvgPool2d(1)(x).flatten(1), wanted)


def test_golden_frames_of_empty_images() -> None:
    x = batch(2, 6, 6)
    assert len(x.long().frames()[0].sites) == 0
    y = F.conv2d(F.conv2d(x, weights(4, 2, 3, 3), None, 2, 1), weights(4, 1, 3, 3), None, 1, 1, groups=4)
    assert np.array_equal(y.long().frames()[0].mask, np.zeros((3, 3), dtype=bool))
