"""The integer graph: frozen nodes, what each computes, and the check that it can be computed.

Every tensor is a frame of decoded integers; ``scale`` is the real value of one decoded step.
Nodes stand in an order in which inputs come before their users. The arithmetic itself is in
``golden``, the files in ``serialize``.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from models.ir.dtype import DType, DyBitType, IntType
from models.ir.normalization import Normalization

Range = tuple[int, int]
"""Lowest and highest of what a channel's number can be, in Python integers."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
KERNELS = range(1, 8)
STRIDES = (1, 2)
BIAS_BITS = 32
MULT_BITS = 16
MAX_SHIFT = 40
MAX_FRACTION = 16
MAX_SIDE = 4096
MAX_CHANNELS = 1 << 20
INT64 = IntType(64)
"""What golden computes in; no graph is valid whose numbers could leave it."""
BRANCH = IntType(63)
"""What a branch of an add is clipped to, or to less: the sum of two lies within ``INT64``."""


class GraphError(ValueError):
    """A graph that cannot be computed; the message names node, field and value."""

    def __init__(self, node: str, name: str, value: object, why: str) -> None:
        super().__init__(f"graph node {node!r}, field {name!r}: {value!r} {why}")
        self.node, self.field, self.value = node, name, value


class Shape(NamedTuple):
    height: int
    width: int
    channels: int

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.channels}"


@dataclass(frozen=True, eq=False)
class Requant:
    """Accumulator to activation: ``clip((biased * mult + half) >> shift, lo, hi)`` where that is an integer.

    ``biased`` is ``(x << fraction) + bias``: with few bits and few taps one unit of the accumulator is a step of the
    output and more, and a whole number of them no bias. ``half`` is ``2**(shift-1)``, or 0 when ``shift`` is 0; shifts
    to the right are arithmetic. A tapered format takes the value nearest to ``biased * mult / 2**shift``, clipped to
    ``lo`` and ``hi``, ties upward, in one rounding. ``bias`` and ``mult``: int64 ``[channels]``. ReLU is ``lo = 0``.
    """

    bias: np.ndarray
    mult: np.ndarray
    shift: int
    lo: int
    hi: int
    fraction: int = 0

    @classmethod
    def identity(cls, channels: int, lo: int, hi: int) -> Requant:
        return cls(np.zeros(channels, np.int64), np.ones(channels, np.int64), 0, lo, hi)


@dataclass(frozen=True, eq=False, kw_only=True)
class Node:
    """``dtype`` and ``scale`` are those of the output."""

    op: ClassVar[str]
    arity: ClassVar[int] = 1

    name: str
    inputs: tuple[str, ...]
    dtype: DType
    scale: float = 1.0

    def out_shape(self, *inputs: Shape) -> Shape:
        raise NotImplementedError

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        """Raise a GraphError where a field does not fit the inputs."""

    def sums(self, dtype: DType, shape: Shape) -> list[Range]:
        """By output channel, between what its sum lies over every input of ``shape`` in ``dtype``, before any bias.

        Zero is a value of every format, so that every partial sum lies there as well.
        """
        raise TypeError(f"node {self.name!r} of op {self.op!r} has no accumulator")

    def error(self, name: str, value: object, why: str) -> GraphError:
        return GraphError(self.name, name, value, why)

    def _check_requant(self, name: str, requant: Requant, ranges: list[Range], limits: IntType | DyBitType) -> None:
        """``ranges``: of what is requantized, by channel. ``limits``: of what comes out."""
        channels = len(ranges)
        for part in ("bias", "mult"):
            array = getattr(requant, part)
            if array.shape != (channels,):
                raise self.error(f"{name}.{part}", array.shape, f"must have shape ({channels},)")
        bound = 1 << (BIAS_BITS - 1)
        if (requant.bias < -bound).any() or (requant.bias >= bound).any():
            raise self.error(f"{name}.bias", int(np.abs(requant.bias).max()), f"must fit {BIAS_BITS} signed bits")
        if (requant.mult < 0).any() or (requant.mult >= 1 << MULT_BITS).any():
            raise self.error(f"{name}.mult", requant.mult.tolist(), f"must be 0 to {(1 << MULT_BITS) - 1}")
        if not 0 <= requant.shift <= MAX_SHIFT:
            raise self.error(f"{name}.shift", requant.shift, f"must be 0 to {MAX_SHIFT}")
        if not 0 <= requant.fraction <= MAX_FRACTION:
            raise self.error(f"{name}.fraction", requant.fraction, f"must be 0 to {MAX_FRACTION}")
        if requant.lo > requant.hi:
            raise self.error(f"{name}.lo", requant.lo, f"must not exceed hi, {requant.hi}")
        if requant.lo < limits.min or requant.hi > limits.max:
            value = (requant.lo, requant.hi)
            raise self.error(f"{name}.lo, {name}.hi", value, f"must lie within {limits}, {limits.min} to {limits.max}")
        self._check_products(name, requant, ranges)

    def _check_products(self, name: str, requant: Requant, ranges: list[Range]) -> None:
        """Every number of golden's requantization must lie within ``INT64``."""
        half = (1 << requant.shift) >> 1
        # what no channel exceeds, which most often is enough
        largest = max(max(-low, high) for low, high in ranges) << requant.fraction
        if (largest + int(np.abs(requant.bias).max())) * max(1, int(requant.mult.max())) + half <= INT64.max:
            return
        numbers = zip(ranges, requant.bias.tolist(), requant.mult.tolist(), strict=True)
        for channel, ((low, high), bias, mult) in enumerate(numbers):
            whole = low << requant.fraction, high << requant.fraction
            biased = whole[0] + bias, whole[1] + bias
            of = f"brings channel {channel}, with sums of {low} to {high}"
            fits = f"int64 holds {INT64.min} to {INT64.max}"
            if beyond := _beyond_int64(*whole, *biased):
                why = f"{of} and bias {bias}, to {beyond}; {fits}"
                raise self.error(f"{name}.fraction", requant.fraction, why)
            if beyond := _beyond_int64(*(end * mult + half for end in biased)):
                ends = ((INT64.max - half, end) if end > 0 else (half - INT64.min, -end) for end in biased if end)
                most = min(room // end for room, end in ends)
                why = (
                    f"{of}, fraction {requant.fraction} and bias {bias}, to {beyond}; {fits}, multipliers up to {most}"
                )
                raise self.error(f"{name}.mult", mult, why)


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(Node):
    """Frames from outside: channel by channel, an integer stands for ``offset + unit * scale * integer``.

    ``offset`` and ``unit`` are empty where all channels have offset 0 and unit 1.
    """

    op: ClassVar[str] = "input"
    arity: ClassVar[int] = 0

    inputs: tuple[str, ...] = ()
    shape: Shape
    sparse: bool = False
    """Whether frames may have any active sites; without it every site of a frame is active, or none is."""
    offset: tuple[float, ...] = ()
    unit: tuple[float, ...] = ()

    def encode(self, real: np.ndarray) -> np.ndarray:
        """int64: the integers of ``real`` [..., channels], each the nearest that the format holds."""
        # clipped before they become integers, which do not hold every float
        return self.dtype.nearest(self._steps(real).clip(self.dtype.min, self.dtype.max).astype(np.int64))

    def clipped(self, real: np.ndarray) -> np.ndarray:
        """bool: which of ``real`` [..., channels] lie beyond what the format holds."""
        steps = self._steps(real)
        return (steps < self.dtype.min) | (steps > self.dtype.max)

    def _steps(self, real: np.ndarray) -> np.ndarray:
        pixels = Normalization(self.offset, self.unit).pixels(real) if self.unit else np.asarray(real, np.float64)
        return np.rint(pixels / self.scale)

    def out_shape(self, *inputs: Shape) -> Shape:
        return self.shape

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        height, width, channels = self.shape
        if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE and 1 <= channels <= MAX_CHANNELS):
            valid = f"1 to {MAX_SIDE} high and wide, with 1 to {MAX_CHANNELS} channels"
            raise self.error("shape", str(self.shape), f"must be {valid}")
        try:
            count = len(Normalization(self.offset, self.unit).unit)
        except ValueError as error:
            raise self.error("offset, unit", (self.offset, self.unit), f"is no normalization: {error}") from None
        if count not in (0, self.shape.channels):
            raise self.error(
                "unit", self.unit, f"must be empty, or one number for each of {self.shape.channels} channels"
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class Window(Node):
    """What convolution and pooling share: a k x k window, its stride and zero padding.

    Output site (y, x) sees input sites ``stride*y + ky - padding``. It is active when any site of
    its stride x stride cell is (for stride 1: when its centre is); the dense frame is the case in
    which every site is.
    """

    kernel: int
    stride: int = 1
    padding: int = 0

    @property
    def cell_offset(self) -> int:
        """Where the cell of output site 0 starts in the input; 0 for 'same' padding."""
        return (self.kernel - 1) // 2 - self.padding

    @property
    def reach(self) -> int:
        """How far beyond ``stride * y`` the input still changes output ``y``: to the end of its window and its cell."""
        return max(self.kernel - 1 - self.padding, self.cell_offset + self.stride - 1)

    def out_side(self, side: int) -> int:
        return (side + 2 * self.padding - self.kernel) // self.stride + 1

    def out_shape(self, *inputs: Shape) -> Shape:
        (i,) = inputs
        return Shape(self.out_side(i.height), self.out_side(i.width), i.channels)

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        if self.kernel not in KERNELS:
            raise self.error("kernel", self.kernel, f"must be {KERNELS[0]} to {KERNELS[-1]}")
        if self.stride not in STRIDES:
            raise self.error("stride", self.stride, f"must be one of {STRIDES}")
        if not 0 <= self.padding <= (self.kernel - 1) // 2:
            raise self.error("padding", self.padding, f"must be 0 to {(self.kernel - 1) // 2} for kernel {self.kernel}")
        if min(shapes[0].height, shapes[0].width) + 2 * self.padding < self.kernel:
            raise self.error("kernel", self.kernel, f"is larger than its padded input {shapes[0]}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Conv(Window):
    """Convolution: full, pointwise (kernel 1) or depthwise.

    ``weight``: decoded integers ``[c_out, c_in, k, k]``, for depthwise ``[c, 1, k, k]``.
    """

    op: ClassVar[str] = "conv"

    depthwise: bool = False
    weight: np.ndarray
    weight_dtype: DType
    requant: Requant

    def out_shape(self, *inputs: Shape) -> Shape:
        return super().out_shape(*inputs)._replace(channels=self.weight.shape[0])

    def sums(self, dtype: DType, shape: Shape) -> list[Range]:
        return _weighted(self.weight, dtype)

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        super().check(shapes, dtypes)
        channels = shapes[0].channels
        out = channels if self.depthwise else self.weight.shape[0] if self.weight.ndim else 0
        want = (out, 1 if self.depthwise else channels, self.kernel, self.kernel)
        _check_weight(self, want)
        self._check_requant("requant", self.requant, self.sums(dtypes[0], shapes[0]), self.dtype)


@dataclass(frozen=True, eq=False, kw_only=True)
class MaxPool(Window):
    """The largest value among the active sites of the window."""

    op: ClassVar[str] = "max_pool"

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        super().check(shapes, dtypes)
        if self.kernel < self.stride:
            raise self.error(
                "kernel", self.kernel, f"must be at least the stride, {self.stride}: no window may be empty"
            )
        if self.dtype != dtypes[0]:
            raise self.error("dtype", str(self.dtype), f"must equal its input's, {dtypes[0]}")


@dataclass(frozen=True, eq=False, kw_only=True)
class AvgPool(Window):
    """The sum over the active sites of the window, requantized; 1/k^2 is part of the multiplier."""

    op: ClassVar[str] = "avg_pool"

    requant: Requant

    def sums(self, dtype: DType, shape: Shape) -> list[Range]:
        return _unweighted(min(shape.height * shape.width, self.kernel**2), dtype, shape)

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        super().check(shapes, dtypes)
        self._check_requant("requant", self.requant, self.sums(dtypes[0], shapes[0]), self.dtype)


@dataclass(frozen=True, eq=False, kw_only=True)
class GlobalPool(Node):
    """The sum over all active sites, requantized, as the one site of a 1x1 frame, also when empty."""

    op: ClassVar[str] = "global_pool"

    requant: Requant

    def out_shape(self, *inputs: Shape) -> Shape:
        return Shape(1, 1, inputs[0].channels)

    def sums(self, dtype: DType, shape: Shape) -> list[Range]:
        return _unweighted(shape.height * shape.width, dtype, shape)

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        self._check_requant("requant", self.requant, self.sums(dtypes[0], shapes[0]), self.dtype)


@dataclass(frozen=True, eq=False, kw_only=True)
class Linear(Node):
    """Every output is a weighted sum over the whole frame; one site of a 1x1 frame, also when empty.

    ``weight``: decoded integers ``[c_out, height, width, c_in]`` over the input frame.
    """

    op: ClassVar[str] = "linear"

    weight: np.ndarray
    weight_dtype: DType
    requant: Requant

    def out_shape(self, *inputs: Shape) -> Shape:
        return Shape(1, 1, self.weight.shape[0])

    def sums(self, dtype: DType, shape: Shape) -> list[Range]:
        return _weighted(self.weight, dtype)

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        out = self.weight.shape[0] if self.weight.ndim else 0
        _check_weight(self, (out, *shapes[0]))
        self._check_requant("requant", self.requant, self.sums(dtypes[0], shapes[0]), self.dtype)


@dataclass(frozen=True, eq=False, kw_only=True)
class Add(Node):
    """The sum of two frames over the same sites: each requantized and clipped, then the sum clipped.

    ``lo`` and ``hi`` are in steps of the format; ``a`` and ``b`` give integers of its steps, for a tapered format of
    half ones (``guard_bits``), so that the sum is not rounded to whole ones before it is to the format.
    """

    op: ClassVar[str] = "add"
    arity: ClassVar[int] = 2

    a: Requant
    b: Requant
    lo: int
    hi: int

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        if shapes[0] != shapes[1]:
            raise self.error("inputs", self.inputs, f"must have one shape, not {shapes[0]} and {shapes[1]}")
        for name, dtype in zip(("a", "b"), dtypes, strict=True):
            self._check_requant(name, getattr(self, name), _unweighted(1, dtype, shapes[0]), BRANCH)
        if not self.dtype.min <= self.lo <= self.hi <= self.dtype.max:
            raise self.error("lo, hi", (self.lo, self.hi), f"must lie in order within {self.dtype}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Requantize(Node):
    """A change of format or scale on its own."""

    op: ClassVar[str] = "requantize"

    requant: Requant

    def out_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def check(self, shapes: tuple[Shape, ...], dtypes: tuple[DType, ...]) -> None:
        self._check_requant("requant", self.requant, _unweighted(1, dtypes[0], shapes[0]), self.dtype)


NODES: dict[str, type[Node]] = {
    kind.op: kind for kind in (Input, Conv, MaxPool, AvgPool, GlobalPool, Linear, Add, Requantize)
}


def _weighted(weight: np.ndarray, dtype: DType) -> list[Range]:
    """By output channel, between what sums of products of ``weight`` [c_out, ...] with values of ``dtype`` lie."""
    flat = weight.reshape(len(weight), -1)
    ends = zip(np.minimum(flat, 0).sum(axis=1).tolist(), np.maximum(flat, 0).sum(axis=1).tolist(), strict=True)
    low, high = dtype.min, dtype.max
    return [(least * high + most * low, least * low + most * high) for least, most in ends]


def _unweighted(terms: int, dtype: DType, shape: Shape) -> list[Range]:
    """By channel, between what sums of up to ``terms`` values of ``dtype`` lie."""
    return [(terms * dtype.min, terms * dtype.max)] * shape.channels


def _beyond_int64(*numbers: int) -> int:
    """The number furthest out of those that do not fit 64 signed bits; 0 where all do."""
    return max((number for number in numbers if not INT64.min <= number <= INT64.max), key=abs, default=0)


def _check_weight(node: Conv | Linear, want: tuple[int, ...]) -> None:
    if node.weight.shape != want or want[0] < 1:
        raise node.error("weight", node.weight.shape, f"must have shape {want}")
    if not isinstance(node.weight_dtype, DyBitType | IntType) or node.weight_dtype.width > 8:
        raise node.error("weight_dtype", str(node.weight_dtype), "must be a format of 2 to 8 bits")
    wrong = node.weight[node.weight_dtype.nearest(node.weight) != node.weight]
    if wrong.size:
        raise node.error("weight", int(wrong.flat[0]), f"is no value of {node.weight_dtype}")


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in topological order; exactly one ``Input``, first; ``output`` names the result.

    ``stats`` holds what was measured over a data set (see ``activity``), keyed by node.
    """

    name: str
    nodes: tuple[Node, ...]
    output: str
    stats: dict[str, dict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        self.validate()

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        shapes: dict[str, Shape] = {}
        for node in self.nodes:
            shapes[node.name] = node.out_shape(*(shapes[name] for name in node.inputs))
        return shapes

    @cached_property
    def sparse(self) -> dict[str, bool]:
        """By node, whether its frames may have only some of their sites active."""
        sparse: dict[str, bool] = {}
        for node in self.nodes:
            whole = isinstance(node, GlobalPool | Linear)
            sparse[node.name] = self.input.sparse if node is self.input else not whole and sparse[node.inputs[0]]
        return sparse

    @property
    def input(self) -> Input:
        node = self.nodes[0]
        assert isinstance(node, Input)
        return node

    @cached_property
    def edges(self) -> tuple[tuple[str, str, int], ...]:
        """Every (producer, consumer, input index of the consumer)."""
        return tuple((name, node.name, i) for node in self.nodes for i, name in enumerate(node.inputs))

    def users(self, name: str) -> tuple[str, ...]:
        return tuple(consumer for producer, consumer, _ in self.edges if producer == name)

    def validate(self) -> None:
        if not self.nodes or not isinstance(self.nodes[0], Input):
            first = self.nodes[0].name if self.nodes else ""
            raise GraphError(first, "op", self.nodes[0].op if self.nodes else None, "must be 'input': it comes first")
        seen: dict[str, Node] = {}
        shapes: dict[str, Shape] = {}
        for node in self.nodes:
            if not NAME.fullmatch(node.name):
                raise node.error("name", node.name, f"must match {NAME.pattern}")
            if node.name in seen:
                raise node.error("name", node.name, "is used by an earlier node")
            if isinstance(node, Input) and seen:
                raise node.error("op", node.op, "must be the first node and the only input")
            if len(node.inputs) != node.arity:
                raise node.error("inputs", node.inputs, f"must name {node.arity} node(s)")
            for name in node.inputs:
                if name not in seen:
                    raise node.error("inputs", name, f"is no earlier node; earlier are {', '.join(seen)}")
            _check_dtype(node)
            inputs = tuple(shapes[name] for name in node.inputs)
            node.check(inputs, tuple(seen[name].dtype for name in node.inputs))
            seen[node.name] = node
            shapes[node.name] = node.out_shape(*inputs)
        if self.output not in seen:
            raise GraphError(self.output, "output", self.output, f"is no node; nodes are {', '.join(seen)}")
        for node in self.nodes:
            if node.name != self.output and not self.users(node.name):
                raise node.error("name", node.name, "is used by no node and is not the output")

    def replace(self, **changes: object) -> Graph:
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


def _check_dtype(node: Node) -> None:
    if not isinstance(node.dtype, IntType | DyBitType) or node.dtype.width > 32:
        raise node.error("dtype", str(node.dtype), "must be int2 to int32 or dybit2 to dybit8")
    if not (np.isfinite(node.scale) and node.scale > 0):
        raise node.error("scale", node.scale, "must be positive and finite")
