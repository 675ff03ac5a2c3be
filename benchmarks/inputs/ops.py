"""One-op graphs with random contents, and frames for them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from models.ir.accumulator import bounds
from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import Node, Shape
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.concat import Concat
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.ops.lookup import Lookup
from models.ir.ops.max_pool import MaxPool
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant
from models.ir.window import Sizes


def random_requant(rng: np.random.Generator, channels: int, limits: tuple[int, int], lo: int, hi: int) -> Requant:
    """Constants that use the whole of ``lo`` to ``hi`` and clip now and then; biases of up to 3 bits of fraction."""
    span = max(abs(limits[0]), abs(limits[1]), 1)
    shift = int(rng.integers(8, 15))
    largest = int(np.clip(max(abs(lo), hi) * 2 ** (shift + 2) // span, 1, 65535))
    mult = rng.integers(max(1, largest // 3), largest + 1, channels)
    fraction = shift % 4
    bias = rng.integers((-span // 8 - 1) << fraction, (span // 8 + 2) << fraction, channels)
    return Requant(bias, mult, shift + fraction, lo, hi, fraction)


def random_values(rng: np.random.Generator, dtype: DType, shape: tuple[int, ...]) -> np.ndarray:
    values = dtype.values()
    return values[rng.integers(0, len(values), shape)]


def random_window(rng: np.random.Generator, pooling: bool, sparse: bool) -> dict[str, tuple[int, ...]]:
    """The sizes of any window that hardware has: for poolings none that may be empty.

    Parameters
        rng         random numbers
        pooling     whether it pools
        sparse      whether it is for sparse frames, whose strides are powers of two
    """
    sizes: list[tuple[int, int, int, int, int]] = []
    for _ in range(2):
        kernel, dilation = int(rng.choice([1, 2, 3, 4, 5])), 1 if pooling else int(rng.choice([1, 1, 2, 3]))
        strides = [stride for stride in (1, 2, *([] if sparse else [3]), 4) if not pooling or stride <= kernel]
        span = dilation * (kernel - 1) + 1
        before, after = int(rng.integers((span - 1) // 2 + 1)), int(rng.integers(span // 2 + 1))
        sizes.append((kernel, int(rng.choice(strides)), before, after, dilation))
    kernel, stride, before, after, dilation = zip(*sizes, strict=True)
    return {"kernel": kernel, "stride": stride, "padding": before + after, "dilation": dilation}


def one_op(
    rng: np.random.Generator,
    op: str,
    shape: tuple[int, int, int],
    *,
    out: int = 0,
    kernel: Sizes = 1,
    stride: Sizes = 1,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
    x: DType,
    w: DType | None = None,
    y: DType,
    sparse: bool = False,
) -> Graph:
    """A graph of one op; ``add`` takes its second branch from a requantize of the input, ``concat`` from sums."""
    channels = shape[2]
    start = Input(name="input", shape=Shape(*shape), dtype=x, sparse=sparse)
    base: dict[str, Any] = {"name": "op", "inputs": ("input",), "dtype": y}
    window: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding}
    if op == "conv":
        w = w or IntType(8)
        sides = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        weight = random_values(rng, w, (out, channels // groups, *sides))
        rest = {"weight": weight, "weight_dtype": w, "groups": groups, "dilation": dilation, **window}
        node: Node = Conv(**base, **rest, requant=Requant.identity(out, 0, 1))
    elif op == "linear":
        w = w or IntType(8)
        weight = random_values(rng, w, (out, *shape))
        node = Linear(**base, weight=weight, weight_dtype=w, requant=Requant.identity(out, 0, 1))
    elif op == "max_pool":
        node = MaxPool(**{**base, "dtype": x}, **window)
        return Graph("one", (start, node), "op")
    elif op == "avg_pool":
        node = AvgPool(**base, **window, requant=Requant.identity(channels, 0, 1))
    elif op == "global_pool":
        node = GlobalPool(**base, requant=Requant.identity(channels, 0, 1))
    elif op == "requantize":
        requant = random_requant(rng, channels, (x.min, x.max), y.min, y.max)
        return Graph("one", (start, Requantize(**base, requant=requant)), "op")
    elif op == "lookup":
        rows = channels if rng.integers(2) else 1
        table = random_values(rng, y, (rows, len(x.values())))
        return Graph("one", (start, Lookup(**base, source=x, table=table)), "op")
    elif op == "add":
        a, b = (random_requant(rng, channels, (d.min, d.max), 2 * y.min, 2 * y.max) for d in (x, w or x))
        other = random_requant(rng, channels, (x.min, x.max), (w or x).min, (w or x).max)
        second = Requantize(name="second", inputs=("input",), dtype=w or x, requant=other)
        node = Add(**{**base, "inputs": ("input", "second")}, a=a, b=b, lo=y.min, hi=y.max)
        return Graph("one", (start, second, node), "op")
    elif op == "concat":
        # the second input has other channels than the first
        weight = random_values(rng, IntType(4), (out, channels, 1, 1))
        window = {"kernel": 1, "weight": weight, "weight_dtype": IntType(4)}
        sums = Conv(name="second", inputs=("input",), dtype=w or x, requant=Requant.identity(out, 0, 1), **window)
        second = dataclasses.replace(
            sums, requant=random_requant(rng, out, bounds(sums, x, start.shape), sums.dtype.min, sums.dtype.max)
        )
        limits = min(x.min, second.dtype.min), max(x.max, second.dtype.max)
        requant = random_requant(rng, channels + out, limits, y.min, y.max)
        node = Concat(**{**base, "inputs": ("input", "second")}, requant=requant)
        return Graph("one", (start, second, node), "op")
    else:
        raise ValueError(op)
    limits = bounds(node, x, Shape(*shape))
    channels = node.out_shape(Shape(*shape)).channels
    # a ReLU, all of the format, or a part of it
    part = 1 << int(rng.integers(0, 3))
    lo = 0 if rng.integers(0, 2) else y.min // part
    requant = random_requant(rng, channels, limits, lo, max(1, y.max // part))
    return Graph("one", (start, dataclasses.replace(node, requant=requant)), "op")


def random_frame(rng: np.random.Generator, graph: Graph) -> Frame:
    """Every site active."""
    return Frame.from_dense(random_values(rng, graph.input.dtype, tuple(graph.input.shape)))


def empty_frame(graph: Graph) -> Frame:
    height, width, channels = graph.input.shape
    return Frame(height, width, np.zeros((0, 2), np.int64), np.zeros((0, channels), np.int64))
