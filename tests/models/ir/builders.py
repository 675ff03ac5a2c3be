"""Random formats, requantizers, frames and graphs for the tests of ``models.ir``."""

from __future__ import annotations

import dataclasses

import numpy as np

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import Node, Shape
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.ops.max_pool import MaxPool
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant

INT8, UINT8 = IntType(8), IntType(8, False)
DYBIT4, UDYBIT4 = DyBitType(4), DyBitType(4, False)
INT16 = IntType(16)


def tensor(rng: np.random.Generator, dtype: DType, *shape: int) -> np.ndarray:
    return rng.choice(dtype.values(), size=shape)


def requant(rng: np.random.Generator, channels: int, dtype: DType, reach: int) -> Requant:
    """One that spreads sums of up to ``reach`` over the whole of ``dtype``, some clipped."""
    mult = rng.integers(1, 1 << 16, channels)
    fraction = int(rng.integers(4))
    shift = max(0, int(2 * reach * (1 << 16) / (dtype.max + 1)).bit_length() - 2) + fraction
    bias = rng.integers((-reach // 4 - 1) << fraction, (reach // 4 + 1) << fraction, channels)
    return Requant(bias, mult, min(shift, 40), dtype.min, dtype.max, fraction)


def random_frame(rng: np.random.Generator, shape: Shape, dtype: DType, density: float = 1.0) -> Frame:
    mask = rng.random((shape.height, shape.width)) < density
    return Frame.from_dense(tensor(rng, dtype, *shape), mask)


def single(node: Node, shape: Shape, dtype: DType) -> Graph:
    """The graph of one node, fed twice where it takes two inputs."""
    node = dataclasses.replace(node, inputs=("input",) * node.arity)
    return Graph("single", (Input(name="input", dtype=dtype, shape=shape, sparse=True), node), node.name)


def conv(
    rng: np.random.Generator, channels: int, out: int, kernel: int, *, stride: int = 1, padding: int | None = None,
    depthwise: bool = False, weights: DType = INT8, source: DType = UINT8, dtype: DType = UINT8,
    name: str = "conv", inputs: tuple[str, ...] = ("input",),
) -> Conv:  # fmt: skip
    weight = tensor(rng, weights, out, 1 if depthwise else channels, kernel, kernel)
    reach = int(np.abs(weight).sum() * source.max / out) + 1
    return Conv(
        name=name, inputs=inputs, dtype=dtype, scale=0.125, kernel=kernel, stride=stride,
        padding=(kernel - 1) // 2 if padding is None else padding, groups=channels if depthwise else 1,
        weight=weight, weight_dtype=weights, requant=requant(rng, out, dtype, reach),
    )  # fmt: skip


def every_op(rng: np.random.Generator) -> Graph:
    """A graph with every op in it, integer and DyBit, a residual and stride 2."""
    wide = Shape(8, 10, 3)
    join = {"a": requant(rng, 4, UINT8, 255), "b": requant(rng, 4, UINT8, 255), "lo": 0, "hi": 255}
    nodes = (
        Input(name="input", dtype=UINT8, scale=1 / 255, shape=wide, sparse=True),
        conv(rng, 3, 4, 3, name="stem"),
        conv(rng, 4, 4, 3, depthwise=True, weights=DYBIT4, dtype=UDYBIT4, name="deep", inputs=("stem",)),
        Requantize(name="cast", inputs=("deep",), dtype=UINT8, requant=requant(rng, 4, UINT8, UDYBIT4.max)),
        Add(name="join", inputs=("stem", "cast"), dtype=UINT8, **join),
        MaxPool(name="max_pool", inputs=("join",), dtype=UINT8, kernel=2, stride=2),
        conv(rng, 4, 6, 5, stride=2, name="down", inputs=("max_pool",)),
        AvgPool(name="avg_pool", inputs=("down",), dtype=INT8, kernel=2, requant=requant(rng, 6, INT8, 4 * 255)),
        GlobalPool(name="global_pool", inputs=("avg_pool",), dtype=INT8, requant=requant(rng, 6, INT8, 512)),
        Linear(
            name="fc", inputs=("global_pool",), dtype=INT16, weight=tensor(rng, INT8, 5, 1, 1, 6), weight_dtype=INT8,
            requant=requant(rng, 5, INT16, 6 * 128 * 128),
        ),
    )  # fmt: skip
    return Graph("every_op", nodes, "fc", {"fc": {"tokens_out": 1.0, "taps": [0.25, 3]}})
