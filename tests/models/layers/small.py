"""Images and requantizers to try layers with, and golden beside them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.ir.frame import Frame
from models.layers.integers import Integers, RequantParams
from models.layers.layer import Layer
from models.sparse import SparseTensor


def requant_params(mult: Sequence[int], shift: int = 0, lo: int = -128, hi: int = 127, bias: int = 0) -> RequantParams:
    """One multiplier a channel."""
    return RequantParams(torch.full((len(mult),), bias), torch.tensor(mult), shift, lo, hi)


def integer_images(channels: int, height: int, width: int, low: int = -8, high: int = 8, seed: int = 0) -> Tensor:
    """int64 [3, channels, height, width]: images of integers from ``low`` to below ``high``."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, high, (3, channels, height, width), generator=generator)


def with_active_sites(x: Tensor) -> SparseTensor:
    """The same images with no site, about half of the sites and all sites active, in turn."""
    shares = torch.linspace(0, 1, len(x))[:, None, None]
    mask = torch.rand(len(x), *x.shape[2:], generator=torch.Generator().manual_seed(1)) < shares
    return SparseTensor.from_dense(x, mask)


def frames(x: Tensor) -> list[Frame]:
    """Each image as golden has it."""
    if isinstance(x, SparseTensor):
        return x.frames()
    return [Frame.from_dense(image.permute(1, 2, 0).numpy()) for image in x]


def assert_golden_agrees(layer: Layer, own: Integers, *inputs: Tensor) -> None:
    """The layer's integers are those of its node, on dense images and on sparse ones."""
    node = layer.node(own)
    for images in (inputs, tuple(map(with_active_sites, inputs))):
        golden = [node.compute(*parts) for parts in zip(*map(frames, images), strict=True)]
        assert frames(layer.integer(own, *images)) == golden
