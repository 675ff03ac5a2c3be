"""Sparse residual networks of random shape, and random frames for them: which sites are active."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.inputs.nets import Builder
from benchmarks.inputs.ops import random_values
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph

FORMAT = "int4"


def random_masks(rng: np.random.Generator, side: Sequence[int], count: int) -> list[np.ndarray]:
    """bool ``[height, width]`` each: scattered, in blobs, lines or single sites, from none of the sites to all."""
    return [_draw(rng, int(side[0]), int(side[1])) for _ in range(count)]


def few_sites(rng: np.random.Generator, side: Sequence[int], count: int, most: int) -> list[np.ndarray]:
    """bool ``[height, width]`` each: none to ``most`` of the sites, anywhere."""
    masks = np.zeros((count, int(side[0]), int(side[1])), dtype=bool)
    for mask in masks:
        mask.flat[rng.permutation(mask.size)[: int(rng.integers(0, most + 1))]] = True
    return list(masks)


def _draw(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    mask = rng.random((height, width)) < rng.choice([0, 0.02, 0.1, 0.3, 0.6, 0.9, 1])
    kind = int(rng.integers(6))
    if kind == 0:
        mask[:] = False
        mask[rng.integers(height), rng.integers(width)] = True
    elif kind == 1:
        mask &= (rng.random(height) < 0.5)[:, None]
    elif kind == 2:
        mask &= (rng.random(width) < 0.5)[None, :]
    elif kind == 3:
        y, x, radius = rng.integers(height), rng.integers(width), rng.integers(1 + max(height, width) // 2)
        mask &= (abs(np.arange(height) - y)[:, None] <= radius) & (abs(np.arange(width) - x) <= radius)
    return mask


def masked_frame(rng: np.random.Generator, graph: Graph, mask: np.ndarray) -> Frame:
    return Frame.from_dense(random_values(rng, graph.input.dtype, tuple(graph.input.shape)), mask)


def random_sparse_net(rng: np.random.Generator, side: int = 12, kernels: Sequence[int] = (1, 3, 3, 5)) -> Graph:
    """A stem and up to three blocks, most of them residual, some strided or one inside the other; maybe a head."""
    height, width = (int(rng.integers(1, side + 1)) for _ in range(2))
    net = Builder(rng, (height, width, int(rng.integers(1, 3))), IntType(8, signed=False), sparse=True)
    net.conv(2, 3, FORMAT, stride=int(rng.integers(1, 3)))
    for _ in range(int(rng.integers(1, 4))):
        _block(rng, net, kernels, depth=0)
    if rng.integers(2):
        net.global_pool(FORMAT)
        return net.linear(2, FORMAT)
    return Graph("net", tuple(net.nodes), net.last)


def _block(rng: np.random.Generator, net: Builder, kernels: Sequence[int], depth: int) -> None:
    start, stride = net.last, 1
    if rng.integers(4) == 0 and depth == 0:
        stride = 2
    strided_at = int(rng.integers(2))
    for place in range(int(rng.integers(1 + strided_at, 4))):
        if rng.integers(4) == 0 and depth < 2:
            _block(rng, net, kernels, depth + 1)
        _conv(rng, net, kernels, stride if place == strided_at else 1)
    if stride == 2:
        main = net.last
        short = net.conv(2, int(rng.choice([1, 1, 3])), FORMAT, stride=2, after=start)
        net.add(*((main, short) if rng.integers(2) else (short, main)), FORMAT)
    elif depth or rng.integers(4):
        net.add(*((net.last, start) if rng.integers(2) else (start, net.last)), FORMAT)


def _conv(rng: np.random.Generator, net: Builder, kernels: Sequence[int], stride: int) -> str:
    kernel = int(rng.choice(kernels))
    return net.conv(2, kernel, FORMAT, stride=stride, depthwise=bool(rng.integers(2)))


def wide_net(rng: np.random.Generator) -> Graph:
    """Inverted bottlenecks of many channels, some residual, some strided, on few sites; sparse or dense. A token takes
    many beats.
    """
    height, width = (int(rng.integers(3, 8)) for _ in range(2))
    net = Builder(rng, (height, width, 2), IntType(8, signed=False), sparse=bool(rng.integers(4)))
    channels = int(rng.choice([4, 6, 8]))
    net.conv(channels, 3, FORMAT, stride=int(rng.integers(1, 3)))
    for _ in range(int(rng.integers(1, 4))):
        start, stride = net.last, int(rng.choice([1, 1, 2]))
        inner = int(rng.choice([8, 12, 16, 24, 48]))
        net.conv(inner, 1, FORMAT)
        net.conv(inner, 3, FORMAT, depthwise=True, stride=stride)
        residual = stride == 1 and rng.integers(4) > 0
        channels = channels if residual else int(rng.choice([4, 8, 16]))
        net.conv(channels, 1, FORMAT)
        if residual:
            net.add(*((net.last, start) if rng.integers(2) else (start, net.last)), FORMAT)
    if rng.integers(2):
        net.global_pool(FORMAT)
    return Graph("net", tuple(net.nodes), net.last)
