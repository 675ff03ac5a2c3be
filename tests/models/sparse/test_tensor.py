from __future__ import annotations

import operator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from models.ir.frame import Frame
from models.sparse import Sites, SparseTensor, images
from tests.models.sparse.test_convolution import batch


def test_dense_and_back() -> None:
    x = batch(3, 5, 7)
    mask = torch.zeros(5 * 5 * 7).index_fill(0, x.sites.raster, 1).view(5, 5, 7) > 0
    again = SparseTensor.from_dense(x.to_dense(), mask)
    assert again.sites.same(x.sites)
    assert torch.equal(again.features, x.features)
    assert x.shape == x.to_dense().shape == (5, 3, 5, 7)
    assert (x.size(0), len(x), x.dim(), x.dtype) == (5, 5, 4, torch.float64)
    for image, own, frame in zip(x.to_dense(), mask, x.long().frames(), strict=True):
        assert frame == Frame.from_dense(image.permute(1, 2, 0).long().numpy(), own.numpy())


def test_without_a_mask_the_sites_that_are_not_zero_are_active() -> None:
    dense = torch.zeros(2, 2, 3, 3)
    dense[1, 0, 2, 1] = 5.0
    dense[1, 1, 0, 0] = -1.0
    x = images(dense, sparse=True)
    assert isinstance(x, SparseTensor)
    assert x.sites.raster.tolist() == [9, 16]
    assert x.sites.place.tolist() == [[0, 0], [2, 1]]
    assert x.features.tolist() == [[0.0, -1.0], [5.0, 0.0]]
    assert images(dense, sparse=False) is dense


def test_dense_and_back_has_gradients() -> None:
    sites = batch(2, 4, 3).sites
    features = torch.randn(len(sites), 2, dtype=torch.float64, requires_grad=True)
    mask = torch.zeros(5 * 4 * 3).index_fill(0, sites.raster, 1).view(5, 4, 3) > 0
    assert torch.autograd.gradcheck(lambda f: SparseTensor(f, sites).to_dense(), (features,))
    dense = torch.randn(5, 2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda d: SparseTensor.from_dense(d, mask).features, (dense,))


def test_what_windows_see_is_found_once_a_resolution() -> None:
    x = batch(4, 9, 7)
    block = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Conv2d(4, 4, 3, padding=1))
    y = block.double()(x)
    assert y.sites is x.sites
    assert x.sites.windows(3, 1, 1) is x.sites.windows(3, 1, 1)
    # cells are the same for every 'same' kernel, so both sides of a residual block share them
    assert F.conv2d(x, torch.ones(4, 4, 1, 1).double(), None, 2).sites is F.max_pool2d(x, 3, 2, 1).sites


def test_split_and_cat_are_inverse() -> None:
    x = batch(2, 6, 5)
    for size in (1, 2, 5, 9):
        parts = x.split(size)
        assert [len(part) for part in parts] == [min(size, 5 - first) for first in range(0, 5, size)]
        assert all(
            torch.equal(part.to_dense(), own)
            for part, own in zip(parts, x.to_dense().split(size), strict=True)
        )  # fmt: skip
        again = torch.cat(parts)
        assert again.sites.same(x.sites)
        assert torch.equal(again.features, x.features)


def test_cat_of_channels_needs_the_same_active_sites() -> None:
    x = batch(2, 6, 5)
    both = torch.cat([x, x * 2, x], 1)
    assert both.sites is x.sites
    assert torch.equal(both.to_dense(), torch.cat([x.to_dense(), 2 * x.to_dense(), x.to_dense()], 1))
    with pytest.raises(ValueError, match="have different active sites"):
        torch.cat([x, F.conv2d(x.float(), torch.ones(2, 2, 3, 3), None, 2)], 1)


@pytest.mark.parametrize("op", [operator.add, operator.mul, operator.truediv])
def test_arithmetic_is_that_of_the_active_sites(op: Any) -> None:
    x = batch(3, 5, 6)
    other = SparseTensor(x.features + 1, Sites(5, 5, 6, x.sites.raster.clone()))
    channel = torch.tensor([2.0, 4.0, 8.0], dtype=torch.float64)
    assert torch.equal(op(x, other).features, op(x.features, x.features + 1))
    assert torch.equal(op(x, channel[:, None, None]).features, op(x.features, channel))
    assert torch.equal(op(x, 2).features, op(x.features, 2))
    assert torch.equal(op(x, torch.tensor(2.0)).features, op(x.features, 2))


def test_operands_that_do_not_fit_are_refused() -> None:
    x = batch(3, 5, 6)
    y = batch(3, 5, 6, seed=1)
    with pytest.raises(ValueError, match="they have different active sites"):
        torch.add(x, y)
    with pytest.raises(ValueError, match=r"an operand of \(3,\): must be a number or \[3, 1, 1\]"):
        x + torch.ones(3)
    with pytest.raises(ValueError, match=rf"features must have shape \[{len(x.sites)}, channels\], not \(2, 3\)"):
        SparseTensor(torch.ones(2, 3), x.sites)


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda x: F.softmax(x, 1), "softmax of a SparseTensor: possible are adaptive_avg_pool2d, add, avg_pool2d, "),
        (lambda x: F.conv2d(x, torch.ones(4, 3, 3, 3), None, 1, 1, 2), r"dilation 2 of a SparseTensor: must be 1"),
        (lambda x: F.conv2d(x, torch.ones(4, 3, 1, 3)), r"kernel_size \(1, 3\) of a SparseTensor: both directions"),
        (lambda x: F.conv2d(x, torch.ones(4, 2, 3, 3)), r"weight \(4, 2, 3, 3\) in 1 groups on .* of 3 channels"),
        (lambda x: F.conv2d(x, torch.ones(6, 1, 3, 3), groups=3), r"weight \(6, 1, 3, 3\) in 3 groups on"),
        (lambda x: F.max_pool2d(x, 2, ceil_mode=True), "ceil_mode True of a SparseTensor: must be False"),
        (lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), "count_include_pad False of a SparseTensor"),
        (lambda x: F.adaptive_avg_pool2d(x, 4), "output_size 4 of a SparseTensor: must divide its size, 5x6, evenly"),
        (lambda x: x.mean((1,)), r"dim \(1,\) of a SparseTensor: must be \(2, 3\)"),
        (lambda x: torch.cat([x, x], 2), "dim 2 of a SparseTensor: must be 0 or 1"),
    ],
)
def test_what_is_not_possible_is_named(function: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        function(batch(3, 5, 6).float())


def test_dropout_drops_whole_channels_of_an_image() -> None:
    x = SparseTensor.from_dense(torch.ones(40, 8, 3, 3), torch.ones(40, 3, 3) > 0)
    torch.manual_seed(0)
    dropped = nn.Dropout2d(0.5)(x).to_dense().flatten(2)
    assert torch.equal(dropped.amin(dim=2), dropped.amax(dim=2))
    assert set(dropped.flatten().tolist()) == {0.0, 2.0}
    assert set(nn.Dropout(0.5)(x).features.flatten().tolist()) == {0.0, 2.0}
