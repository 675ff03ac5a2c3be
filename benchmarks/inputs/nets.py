"""Small whole networks with random weights, as integer graphs, and mappings for them."""

from __future__ import annotations

import dataclasses

import numpy as np

from benchmarks.inputs.ops import random_requant, random_values
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping, OpMapping
from hw.ops.registry import inputs_of, mappings
from models.ir.accumulator import bounds
from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.graph import Graph
from models.ir.node import Node, Shape
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.concat import Concat
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.ops.max_pool import MaxPool
from models.ir.requant import Requant
from models.ir.window import Sizes, Window


class Builder:
    """Adds nodes one after the other; requantize constants are drawn to use the whole of each format."""

    def __init__(
        self, rng: np.random.Generator, shape: tuple[int, int, int], dtype: DType, sparse: bool = False
    ) -> None:
        self.rng = rng
        self.nodes: list[Node] = [Input(name="input", shape=Shape(*shape), dtype=dtype, sparse=sparse)]

    @property
    def last(self) -> str:
        return self.nodes[-1].name

    def _graph(self, output: str) -> Graph:
        return Graph("net", tuple(self.nodes), output)

    def _known(self, name: str) -> tuple[Shape, DType]:
        shapes: dict[str, Shape] = {}
        for node in self.nodes:
            shapes[node.name] = node.out_shape(*(shapes[n] for n in node.inputs))
        return shapes[name], next(node.dtype for node in self.nodes if node.name == name)

    def _add(self, node: Node) -> str:
        shape, dtype = self._known(node.inputs[0])
        channels = node.out_shape(shape).channels
        lo = 0 if not node.dtype.signed else node.dtype.min
        requant = random_requant(self.rng, channels, bounds(node, dtype, shape), lo, node.dtype.max)
        self.nodes.append(dataclasses.replace(node, requant=requant))
        return node.name

    def conv(
        self,
        out: int,
        kernel: Sizes,
        fmt: str,
        *,
        stride: Sizes = 1,
        padding: Sizes | None = None,
        dilation: Sizes = 1,
        after: str | None = None,
        depthwise: bool = False,
    ) -> str:
        """A convolution; without ``padding`` its zeros are as many before the frame as behind it, or one less."""
        after = after or self.last
        channels = self._known(after)[0].channels
        weight_type = parse_dtype(fmt)
        window = Window.of(kernel, stride, 0, dilation)
        sides = window.y.kernel, window.x.kernel
        weight = random_values(self.rng, weight_type, (out, 1 if depthwise else channels, *sides))
        if padding is None:
            padding = (window.y.span - 1) // 2, (window.x.span - 1) // 2
        return self._add(
            Conv(
                name=f"conv{len(self.nodes)}", inputs=(after,), dtype=parse_dtype(f"u{fmt}"), kernel=kernel,
                stride=stride, padding=padding, dilation=dilation, groups=channels if depthwise else 1, weight=weight,
                weight_dtype=weight_type, requant=Requant.identity(out, 0, 1),
            )
        )  # fmt: skip

    def add(self, a: str, b: str, fmt: str) -> str:
        (shape, a_type), (_, b_type) = self._known(a), self._known(b)
        dtype = parse_dtype(f"u{fmt}")
        branches = [
            random_requant(self.rng, shape.channels, (t.min, t.max), -dtype.max, dtype.max) for t in (a_type, b_type)
        ]
        node = Add(
            name=f"add{len(self.nodes)}", inputs=(a, b), dtype=dtype, a=branches[0], b=branches[1], lo=0, hi=dtype.max
        )
        self.nodes.append(node)
        return node.name

    def concat(self, a: str, b: str, fmt: str) -> str:
        (a_shape, a_type), (b_shape, b_type) = self._known(a), self._known(b)
        dtype = parse_dtype(f"u{fmt}")
        limits = min(a_type.min, b_type.min), max(a_type.max, b_type.max)
        requant = random_requant(self.rng, a_shape.channels + b_shape.channels, limits, 0, dtype.max)
        self.nodes.append(Concat(name=f"concat{len(self.nodes)}", inputs=(a, b), dtype=dtype, requant=requant))
        return self.last

    def max_pool(self, kernel: Sizes, stride: Sizes) -> str:
        dtype = self._known(self.last)[1]
        self.nodes.append(
            MaxPool(name=f"pool{len(self.nodes)}", inputs=(self.last,), dtype=dtype, kernel=kernel, stride=stride)
        )
        return self.last

    def avg_pool(self, kernel: Sizes, stride: Sizes, fmt: str) -> str:
        channels = self._known(self.last)[0].channels
        return self._add(
            AvgPool(
                name=f"pool{len(self.nodes)}", inputs=(self.last,), dtype=parse_dtype(f"u{fmt}"), kernel=kernel,
                stride=stride, requant=Requant.identity(channels, 0, 1),
            )
        )  # fmt: skip

    def global_pool(self, fmt: str) -> str:
        channels = self._known(self.last)[0].channels
        node = GlobalPool(
            name=f"pool{len(self.nodes)}",
            inputs=(self.last,),
            dtype=parse_dtype(f"u{fmt}"),
            requant=Requant.identity(channels, 0, 1),
        )
        return self._add(node)

    def linear(self, out: int, fmt: str) -> Graph:
        shape, _ = self._known(self.last)
        weight_type = parse_dtype(fmt)
        weight = random_values(self.rng, weight_type, (out, *shape))
        name = self._add(
            Linear(
                name="logits", inputs=(self.last,), dtype=IntType(16), weight=weight, weight_dtype=weight_type,
                requant=Requant.identity(out, 0, 1),
            )
        )  # fmt: skip
        return self._graph(name)


def oblong_net(rng: np.random.Generator, fmt: str = "int8", other: str | None = None) -> Graph:
    """Windows of unequal sides, strides and paddings, and dilated ones, on a branch that is added again."""
    other = other or fmt
    net = Builder(rng, (12, 7, 2), IntType(8, signed=False))
    net.conv(4, (4, 2), fmt, stride=(2, 1), padding=(1, 0, 2, 1))
    start = net.conv(4, 3, other, dilation=(1, 2))
    net.conv(4, (1, 5), fmt, depthwise=True)
    net.conv(4, (3, 1), other, dilation=2)
    net.add(net.last, start, fmt)
    net.max_pool((2, 1), (2, 1))
    net.conv(6, 3, fmt, stride=(1, 3), padding=(0, 0, 1, 1))
    net.avg_pool((1, 2), 1, other)
    return net.linear(5, fmt)


def chain_net(rng: np.random.Generator, fmt: str = "int8", other: str | None = None) -> Graph:
    """Convolution, max pooling, depthwise and pointwise convolution, linear over the whole map."""
    other = other or fmt
    net = Builder(rng, (8, 8, 2), IntType(8, signed=False))
    net.conv(4, 3, fmt)
    net.max_pool(2, 2)
    net.conv(4, 3, other, depthwise=True)
    net.conv(6, 1, fmt)
    return net.linear(5, other)


def residual_net(rng: np.random.Generator, fmt: str = "int8", other: str | None = None) -> Graph:
    """A stem, a residual block, global pooling and linear."""
    other = other or fmt
    net = Builder(rng, (6, 7, 1), IntType(8, signed=False))
    stem = net.conv(4, 3, fmt)
    net.conv(4, 3, other)
    main = net.conv(4, 3, fmt)
    net.add(main, stem, other)
    net.global_pool(fmt)
    return net.linear(3, other)


def strided_net(rng: np.random.Generator, fmt: str = "int8", other: str | None = None) -> Graph:
    """A 5 x 5 stem of stride 2, a strided block with a 1 x 1 shortcut of stride 2, average pooling, linear."""
    other = other or fmt
    net = Builder(rng, (11, 9, 2), IntType(8, signed=False))
    stem = net.conv(4, 5, fmt, stride=2)
    net.conv(6, 3, other, stride=2, after=stem)
    main = net.conv(6, 3, fmt)
    short = net.conv(6, 1, other, stride=2, after=stem)
    net.add(main, short, fmt)
    net.avg_pool(2, 1, fmt)
    return net.linear(4, other)


def concatenated_net(rng: np.random.Generator, fmt: str = "int8", other: str | None = None) -> Graph:
    """A stem beside which two convolutions lay channels of their own, one after the other; pooling, linear."""
    other = other or fmt
    net = Builder(rng, (7, 6, 2), IntType(8, signed=False))
    stem = net.conv(4, 3, fmt)
    more = net.concat(stem, net.conv(2, 3, other), fmt)
    net.concat(net.conv(6, 3, fmt), more, other)
    net.global_pool(fmt)
    return net.linear(3, other)


NETS = {
    "chain": chain_net,
    "residual": residual_net,
    "strided": strided_net,
    "concatenated": concatenated_net,
    "oblong": oblong_net,
}


def random_mapping(rng: np.random.Generator, graph: Graph, queue: int = 64) -> Mapping:
    """A random folding of each op; every edge into an op of two inputs has a queue that holds whole frames."""
    device = DEVICES["zu3eg"]
    ops: dict[str, OpMapping] = {}
    for node in graph.nodes:
        if isinstance(node, Input):
            ops[node.name] = OpMapping(int(rng.choice([d for d in (1, 2) if node.shape.channels % d == 0])))
        else:
            choices = mappings(node, inputs_of(graph, node), device)
            ops[node.name] = choices[int(rng.integers(len(choices)))]
    return Mapping("zu3eg", 200.0, ops, _queues(graph, queue))


def unrolled_mapping(graph: Graph, queue: int = 64) -> Mapping:
    """Every op with as many lanes as there are: a token a cycle, and frames that take a few."""
    device = DEVICES["zu3eg"]
    ops: dict[str, OpMapping] = {}
    for node in graph.nodes:
        if isinstance(node, Input):
            ops[node.name] = OpMapping(node.shape.channels)
        else:
            choices = mappings(node, inputs_of(graph, node), device)
            ops[node.name] = max(choices, key=lambda mapping: mapping.pe * mapping.simd * mapping.taps)
    return Mapping("zu3eg", 200.0, ops, _queues(graph, queue))


def _queues(graph: Graph, queue: int) -> dict[str, int]:
    return {f"{a}->{b}": queue * 4 for a, b, _ in graph.edges if graph[b].arity > 1}
