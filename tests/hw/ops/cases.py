"""Drawing single ops for the tests: what the op is, its formats, its mapping, its frames and its stalls."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.inputs.ops import one_op, random_values
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import OpMapping
from hw.ops.registry import inputs_of, mappings
from models.ir.accumulator import AccumulatingNode, sum_ranges
from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.thresholds import Thresholds
from models.ir.window import Sizes, Window
from tests.support.streams import Pace

FORMATS = ("int8", "int4", "dybit8", "dybit4")
WINDOWS = ("full", "depthwise", "max_pool", "avg_pool")
KINDS = (*WINDOWS, "pointwise", "linear", "global_pool", "add", "concat", "requantize", "grouped", "lookup")

STALLS: dict[str, dict[str, Any]] = {
    "none": {},
    "gaps": {"source_stall": 0.5},
    "back pressure": {"sink_stall": 0.5},
    "both": {"source_stall": 0.3, "sink_stall": 0.3},
    "after valid": {"source_stall": 0.2, "sink_stall": Pace.AFTER_VALID},
    "sink in bursts": {"sink_stall": lambda cycle: cycle % 150 < 110},
    "source in bursts": {"source_stall": lambda cycle: cycle % 90 < 50, "sink_stall": 0.2},
}
"""Arguments of ``run_op``."""

FRAMES = ("f", "e", "fff", "eff", "fef", "feef", "eee", "eefeff")
"""Sequences of full (f) and empty (e) frames; p stands for a frame of some sites."""

DENSITIES = {"e": 0.0, "1": 0.01, "5": 0.05, "2": 0.2, "p": 0.4, "6": 0.6, "f": 1.0}
"""The share of active sites of a frame, by its letter; o stands for a frame of one site."""


@dataclass(frozen=True)
class Case:
    """One op of a ``kind`` in KINDS on frames of ``shape``; ``choose`` picks its mapping out of the legal ones."""

    kind: str
    shape: tuple[int, int, int]
    x: DType
    w: DType
    y: DType
    out: int = 4
    kernel: Sizes = 1
    stride: Sizes = 1
    padding: Sizes = 0
    seed: int = 0
    choose: Callable[[Sequence[OpMapping]], OpMapping] | None = field(default=None, compare=False)
    sparse_windows: bool = False
    dilation: Sizes = 1

    @property
    def window(self) -> Window:
        return Window.of(self.kernel, self.stride, self.padding, self.dilation)

    @property
    def sparse(self) -> bool:
        """Whether the op takes frames in which only some sites are active; those without windows always do."""
        return self.sparse_windows or self.kind not in (*WINDOWS, "grouped")

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    def graph(self) -> Graph:
        op = {"full": "conv", "depthwise": "conv", "pointwise": "conv", "grouped": "conv"}.get(self.kind, self.kind)
        window = {"kernel": self.kernel, "stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        window = window if self.kind in (*WINDOWS, "grouped") else {}
        return one_op(
            self.rng,
            op,
            self.shape,
            out=self.shape[2] if self.kind == "depthwise" else self.out,
            x=self.x,
            w=self.w,
            y=self.y,
            groups={"depthwise": self.shape[2], "grouped": 2}.get(self.kind, 1),
            sparse=self.sparse,
            **window,
        )

    def mappings(self, graph: Graph) -> list[OpMapping]:
        return mappings(graph["op"], inputs_of(graph, graph["op"]), DEVICES["zu3eg"])

    def mapping(self, graph: Graph) -> OpMapping:
        legal = self.mappings(graph)
        return self.choose(legal) if self.choose else legal[int(self.rng.integers(len(legal)))]

    def frames(self, graph: Graph, pattern: str) -> list[Frame]:
        """One frame for each letter of ``pattern``."""
        rng = self.rng
        return [frame_like(letter, rng, graph) for letter in pattern]


FOLDED = {
    "full": Case("full", (3, 4, 4), parse_dtype("uint4"), parse_dtype("int4"), parse_dtype("int8"), 6, 3, 1, 1),
    "depthwise": Case(
        "depthwise", (4, 3, 6), parse_dtype("int4"), parse_dtype("int4"), parse_dtype("uint8"), 6, 3, 2, 1
    ),
    "pointwise": Case("pointwise", (3, 3, 4), parse_dtype("udybit4"), parse_dtype("int4"), parse_dtype("int8"), 6),
    "grouped": Case("grouped", (3, 4, 8), parse_dtype("int4"), parse_dtype("int4"), parse_dtype("uint8"), 6, 3, 1, 1),
    "max_pool": Case("max_pool", (4, 5, 6), parse_dtype("dybit4"), parse_dtype("int4"), parse_dtype("dybit4"), 6, 2, 2),
    "avg_pool": Case("avg_pool", (4, 4, 6), parse_dtype("uint4"), parse_dtype("int4"), parse_dtype("int8"), 6, 3, 1, 1),
    "linear": Case("linear", (2, 3, 4), parse_dtype("int4"), parse_dtype("dybit4"), parse_dtype("int16"), 6),
    "linear_1x1": Case("linear", (1, 1, 4), parse_dtype("int4"), parse_dtype("int4"), parse_dtype("int8"), 6),
    "global_pool": Case("global_pool", (3, 2, 6), parse_dtype("uint8"), parse_dtype("int4"), parse_dtype("udybit8")),
    "add": Case("add", (2, 3, 6), parse_dtype("int4"), parse_dtype("uint8"), parse_dtype("udybit4")),
    "concat": Case("concat", (2, 3, 6), parse_dtype("int4"), parse_dtype("uint8"), parse_dtype("udybit4"), 4),
    "lookup": Case("lookup", (2, 3, 6), parse_dtype("int4"), parse_dtype("int4"), parse_dtype("int8")),
    "requantize": Case("requantize", (2, 3, 6), parse_dtype("int8"), parse_dtype("int4"), parse_dtype("dybit4")),
}
"""A case of each kind with several foldings."""


def by_levels(graph: Graph) -> Graph:
    """The graph with levels in place of its op's requantizer, which give the same."""
    node: Any = graph["op"]
    tensors = inputs_of(graph, node)
    if isinstance(node, AccumulatingNode):
        ranges = node.ranges(tensors[0].dtype, tensors[0].shape)
    else:
        ranges = [end for tensor in tensors for end in sum_ranges(1, tensor.dtype, tensor.shape)]
    changed = dataclasses.replace(node, requant=Thresholds.equal_to(node.requant, node.dtype, ranges))
    return Graph(graph.name, (*graph.nodes[:-1], changed), graph.output)


def frame_like(letter: str, rng: np.random.Generator, graph: Graph) -> Frame:
    """A frame of the density that the letter stands for; exactly full or empty for f and e."""
    shape = graph.input.shape
    if letter == "o":
        mask = np.zeros(shape[:2], dtype=bool)
        mask[rng.integers(shape.height), rng.integers(shape.width)] = True
    else:
        mask = rng.random(shape[:2]) < DENSITIES[letter]
    return masked_frame(rng, graph, mask)


def masked_frame(rng: np.random.Generator, graph: Graph, mask: np.ndarray) -> Frame:
    """Random features where ``mask`` is."""
    return Frame.from_dense(random_values(rng, graph.input.dtype, tuple(graph.input.shape)), mask)


def draw_format(rng: np.random.Generator, names: Sequence[str] = FORMATS) -> DType:
    """A format out of ``names``, signed or not."""
    return parse_dtype(("", "u")[int(rng.integers(2))] + names[int(rng.integers(len(names)))])


def draw_window(rng: np.random.Generator, kind: str, kernels: Sequence[int] = (1, 2, 3, 5, 7)) -> tuple[int, int, int]:
    """(kernel, stride, padding); a pooling window is no smaller than its stride."""
    kernel = int(rng.choice(kernels))
    strides = 1 if kernel == 1 and kind.endswith("pool") else 2
    return kernel, int(rng.integers(1, strides + 1)), int(rng.integers(0, (kernel - 1) // 2 + 1))


def draw_case(
    seed: int,
    kind: str,
    *,
    names: Sequence[str] = FORMATS,
    side: int = 6,
    channels: Sequence[int] = (1, 2, 3, 4, 6),
    sparse_windows: bool = False,
) -> Case:
    """A random op of the kind, frames at most ``side`` x ``side`` larger than its kernel needs."""
    rng = np.random.default_rng(seed)
    kernel, stride, padding = draw_window(rng, kind) if kind in (*WINDOWS, "grouped") else (1, 1, 0)
    least = max(1, kernel - 2 * padding)
    height, width = (int(rng.integers(least, least + side)) for _ in range(2))
    wide = kernel > 3
    c_in, c_out = (int(rng.choice(channels[:2] if wide else channels)) for _ in range(2))
    if kind == "grouped":
        c_in, c_out = 2 * c_in, 2 * c_out
    y = IntType(16) if kind == "linear" and rng.integers(2) else draw_format(rng, names)
    x, w = draw_format(rng, names), draw_format(rng, names)
    if kind in ("full", "depthwise", "pointwise", "linear", "grouped"):
        w = type(w)(w.width)
    y = x if kind == "max_pool" else y
    return Case(kind, (height, width, c_in), x, w, y, c_out, kernel, stride, padding, seed, None, sparse_windows)
