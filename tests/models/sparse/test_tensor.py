"""Sparse tensors: to and from dense images, arithmetic, and operands that are refused."""

from __future__ import annotations

import operator
from typing import Any

import pytest
import torch
from torch import nn

from models.ir.frame import Frame
from models.sparse import Sites, SparseTensor, images
from tests.models.sparse.batches import batch


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
    assert x.sites.coordinates.tolist() == [[0, 0], [2, 1]]
    assert x.features.tolist() == [[0.0, -1.0], [5.0, 0.0]]
    assert images(dense, sparse=False) is dense


def test_dense_and_back_has_gradients() -> None:
    sites = batch(2, 4, 3).sites
    features = torch.randn(len(sites), 2, dtype=torch.float64, requires_grad=True)
    mask = torch.zeros(5 * 4 * 3).index_fill(0, sites.raster, 1).view(5, 4, 3) > 0
    assert torch.autograd.gradcheck(lambda f: SparseTensor(f, sites).to_dense(), (features,))
    dense = torch.randn(5, 2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda d: SparseTensor.from_dense(d, mask).features, (dense,))


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


def test_the_mean_over_an_image_counts_sites_that_are_not_there() -> None:
    x = batch(3, 9, 7)
    wanted = x.to_dense().mean(dim=(2, 3))
    assert torch.equal(x.mean((2, 3)), wanted)
    assert torch.equal(torch.mean(x, (-1, -2), keepdim=True), wanted[:, :, None, None])
    assert torch.equal(nn.AdaptiveAvgPool2d(1)(x).flatten(1), wanted)
