"""Random ops of every kind, with contents such as trained networks have, to fit and to check resource figures."""

from __future__ import annotations

import dataclasses
from dataclasses import asdict
from math import frexp
from typing import Any

import numpy as np

from hw.fpga.device import Device
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.ops.op import Op
from hw.ops.registry import build, inputs_of, mappings
from models.ir.accumulator import bounds
from models.ir.dtype import DType
from models.ir.formats.registry import parse_dtype
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
from models.ir.ops.windowed import WindowNode
from models.ir.requant import MULT_BITS, Requant
from models.quant.integer import bias_fraction

KINDS = (
    "conv", "depthwise", "pointwise", "conv", "sparse conv", "sparse depthwise", "linear", "max_pool", "avg_pool",
    "global_pool", "requantize", "add", "pointwise", "sparse conv", "sparse max_pool",
)  # fmt: skip
FORMATS = ("int8", "int8", "int4", "dybit8", "dybit4", "int6", "int3")
CHANNELS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96)
LARGEST = {Multiplier.DSP: 24, Multiplier.PACKED: 24, Multiplier.LUT: 8, Multiplier.TABLE: 8}
"""Products of the largest op: more take Yosys long and say nothing new."""
WORD_BITS = 24
"""Bits of the words of all taps at once, and four times the bits of one."""
TABLE_BITS = 6_000
"""Weights of the largest op that keeps them in LUTs, in bits."""
ROW_BITS = 12_000
"""Of the rows kept where all taps are read at once, from many small memories."""
WORDS = 4_000
"""Of the deepest memory of weights or rows: Yosys reads them one by one."""


def draw(seed: int, device: Device) -> tuple[str, Op]:
    """The op number ``seed``: formats, shape, contents and mapping, all random; the same at every call."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    while True:
        graph = _graph(rng, kind)
        node, inputs = graph["op"], inputs_of(graph, graph["op"])
        choices = [m for m in mappings(node, inputs, device) if _small(graph, m)]
        if choices:
            mapping = choices[int(rng.integers(len(choices)))]
            shape = "x".join(map(str, graph.input.shape))
            window = (
                f" k{node.kernel}s{node.stride}p{node.padding}" if isinstance(node, Conv | MaxPool | AvgPool) else ""
            )
            weights = f" {node.weight_dtype}" if isinstance(node, Conv | Linear) else ""
            formats = f"{graph.input.dtype}{weights} {node.dtype}"
            out = node.out_shape(*(tensor.shape for tensor in inputs)).channels
            folding = "/".join(map(str, asdict(mapping).values()))
            return f"{kind} {shape}->{out}{window} {formats} {folding}", build(node, inputs, mapping)


def _graph(rng: np.random.Generator, kind: str) -> Graph:
    sparse, op = kind.startswith("sparse"), kind.split()[-1]
    x, w, y = (parse_dtype(("u" if n != 1 and rng.integers(4) else "") + str(rng.choice(FORMATS))) for n in range(3))
    side = 8 if op == "linear" else 65
    lowest = {"linear": 1, "pointwise": 2, "add": 2, "requantize": 2, "global_pool": 2}.get(op, 5)
    height, width = (int(np.exp(rng.uniform(np.log(lowest), np.log(side)))) for _ in range(2))
    c_in, c_out = (int(n) for n in rng.choice(CHANNELS, 2))
    shape = Shape(height, width, c_in)
    start = Input(name="input", shape=shape, dtype=x, sparse=sparse)
    base: dict[str, Any] = {"name": "op", "inputs": ("input",), "dtype": y}
    if op in ("conv", "depthwise", "pointwise"):
        kernel = 1 if op == "pointwise" else int(rng.choice([2, 3, 3, 3, 5]))
        stride = 1 if op == "pointwise" else int(rng.choice([1, 1, 2]))
        depthwise = op == "depthwise"
        c_out = c_in if depthwise else c_out
        weight = trained(rng, w, (c_out, 1 if depthwise else c_in, kernel, kernel))
        rest = {"weight": weight, "weight_dtype": w, "groups": c_in if depthwise else 1}
        node: Node = Conv(
            **base,
            **rest,
            kernel=kernel,
            stride=stride,
            padding=(kernel - 1) // 2,
            requant=Requant.identity(c_out, 0, 1),
        )
    elif op == "linear":
        weight = trained(rng, w, (c_out, *shape))
        node = Linear(
            **{**base, "dtype": parse_dtype("int16")},
            weight=weight,
            weight_dtype=w,
            requant=Requant.identity(c_out, 0, 1),
        )
    elif op == "max_pool":
        kernel, stride = int(rng.choice([2, 3])), int(rng.choice([1, 2, 2]))
        return Graph("one", (start, MaxPool(**{**base, "dtype": x}, kernel=kernel, stride=stride, padding=0)), "op")
    elif op == "avg_pool":
        kernel, stride = int(rng.choice([2, 3])), int(rng.choice([1, 2, 2]))
        node = AvgPool(**base, kernel=kernel, stride=stride, padding=0, requant=Requant.identity(c_in, 0, 1))
    elif op == "global_pool":
        node = GlobalPool(**base, requant=Requant.identity(c_in, 0, 1))
    elif op == "requantize":
        return Graph("one", (start, Requantize(**base, requant=calibrated(rng, c_in, (x.min, x.max), y))), "op")
    else:
        second = Requantize(**{**base, "name": "second", "dtype": w}, requant=calibrated(rng, c_in, (x.min, x.max), w))
        a, b = (calibrated(rng, c_in, (d.min, d.max), y) for d in (x, w))
        node = Add(**{**base, "inputs": ("input", "second")}, a=a, b=b, lo=a.lo, hi=y.max)
        return Graph("one", (start, second, node), "op")
    channels = node.out_shape(shape).channels
    return Graph(
        "one",
        (start, dataclasses.replace(node, requant=calibrated(rng, channels, bounds(node, x, shape), node.dtype))),
        "op",
    )


def trained(rng: np.random.Generator, dtype: DType, shape: tuple[int, ...]) -> np.ndarray:
    """Weights: normal, the largest near the end of the format."""
    return dtype.nearest_value(
        np.clip(np.rint(rng.normal(0, dtype.max / 3, shape)), dtype.min, dtype.max).astype(np.int64)
    )


def calibrated(rng: np.random.Generator, channels: int, limits: tuple[int, int], dtype: DType) -> Requant:
    """Constants as the export makes them: one shift, multipliers of which the largest has all its bits, biases with the
    fraction that they need.

    The outputs fill the format at an eighth to all of what the sums can reach.
    """
    span = max(abs(limits[0]), abs(limits[1]), 1)
    ratio = dtype.max / span * 2.0 ** rng.uniform(0, 3) * rng.uniform(0.4, 1, channels)
    bias = rng.normal(0, span / 16, channels)
    fraction = bias_fraction(float(ratio.max()), float(np.abs(bias).max()))
    ratio, bias = ratio * 0.5**fraction, np.rint(bias * 2.0**fraction).astype(np.int64)
    shift = MULT_BITS - frexp(float(ratio.max()))[1]
    mult = np.clip(np.rint(ratio * 2.0**shift), 1, (1 << MULT_BITS) - 1).astype(np.int64)
    lo = 0 if rng.integers(3) else dtype.min
    return Requant(bias, mult, max(shift, 0), lo, dtype.max, fraction)


def _small(graph: Graph, m: OpMapping) -> bool:
    """Whether Yosys takes seconds."""
    node = graph["op"]
    x = graph.input.dtype.width
    products = m.pe * m.taps * (1 if getattr(node, "depthwise", True) else m.simd)
    weights = getattr(node, "weight", np.zeros(1)).size
    if products > LARGEST[m.multiplier] or weights > WORDS * products:
        return False
    if isinstance(node, WindowNode) and node.window.taps > 1:
        height, width, channels = graph.input.shape
        features = min(height, node.window.y.span + node.window.y.stride) * width * channels
        if features > WORDS * m.simd or (m.taps > 1 and features * x > ROW_BITS):
            return False
    if max(m.simd, m.pe) * x > (WORD_BITS if m.taps > 1 else 4 * WORD_BITS):
        return False
    dtype = getattr(node, "weight_dtype", graph.input.dtype)
    return m.memory is not Memory.LUT or weights * dtype.width <= TABLE_BITS
