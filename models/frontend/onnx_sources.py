"""Tensors of an ONNX file while a graph is built of it: constants, and real functions of a node's integers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.frontend.exact_rescaling import Rule, fitted
from models.frontend.graph_builder import GraphBuilder
from models.frontend.onnx_file import OnnxError, OnnxNode
from models.frontend.onnx_functions import Function
from models.ir.accumulator import AccumulatingNode, WeightedNode
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.ops.input import Input
from models.ir.ops.lookup import WIDEST, Lookup
from models.ir.ops.requantize import Requantize
from models.ir.requant import Range, Requant
from models.ir.thresholds import Rescaling, Thresholds

SAMPLES = 1025
"""Sums of a channel at which is looked whether its function rises or falls."""
CLIPPING = {"Relu", "Clip"}
"""What ONNX Runtime drops before a quantizer that clips as much."""


@dataclass(frozen=True, eq=False)
class Constant:
    """A tensor that does not depend on the input.

    Parameters
        numbers     what the file has or computes
        integers    int64, where it says of which integers they are made; else None
        step        real value of an integer, of a shape that spreads over theirs
    """

    numbers: np.ndarray
    integers: np.ndarray | None = None
    step: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Numbers:
    """What the integers that a source gives become.

    Parameters
        dtype     format of the integers
        limits    lowest and highest of them
        scale     real value of one
        rule      from the source's integers int64 ``[channels, n]``; None where they stay as they are
        nearby    rules of real sums that are a little less and a little more
        where     the quantizer
    """

    dtype: IntType
    limits: Range
    scale: float
    rule: Rule | None = None
    nearby: tuple[Rule, ...] = ()
    where: str = ""


@dataclass(frozen=True, eq=False)
class IntegerSource(ABC):
    """Where the integers of a tensor come from, before it is said what they become.

    Parameters
        build    the graph as far as it is built
    """

    build: GraphBuilder

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """Of its frames."""

    @property
    @abstractmethod
    def ranges(self) -> list[Range]:
        """Lowest and highest integer of each channel."""

    @abstractmethod
    def finish(self, numbers: Numbers) -> str:
        """Append what computes its integers; the name of the last node."""

    def rescaled(self, numbers: Numbers, ranges: list[Range], signs: np.ndarray | int = 1) -> Rescaling:
        """How the integers become the numbers; a note where single precision decides.

        Parameters
            numbers    what they become
            ranges     lowest and highest integer of each channel
            signs      int64 ``[channels, 1]``: -1 for a channel whose integers are those of the rule negated
        """
        rule = numbers.rule
        assert rule is not None
        levels = Thresholds.of(lambda sums: rule(sums * signs), numbers.dtype, ranges, numbers.limits)
        lows, highs = (np.array(ends, np.int64)[:, None] for ends in zip(*ranges, strict=True))
        doubtful = np.zeros(levels.levels.shape, bool)
        for sums in (np.clip(levels.levels - 1, lows, highs), np.clip(levels.levels, lows, highs)):
            for other in numbers.nearby:
                doubtful |= other(sums * signs) != rule(sums * signs)
        if doubtful.any():
            self.build.notes.append(
                f"{numbers.where}: {doubtful.sum()} of {doubtful.size} levels lie so near to a sum that single "
                "precision decides; there an execution of the file may differ by one, by the order of its additions"
            )
        return fitted(levels, numbers.dtype, ranges)

    @property
    def limits(self) -> Range:
        """Lowest and highest integer of all channels."""
        lows, highs = zip(*self.ranges, strict=True)
        return min(lows), max(highs)


@dataclass(frozen=True, eq=False)
class NodeSource(IntegerSource):
    """A node of the graph.

    Parameters
        name    the node
    """

    name: str

    @property
    def shape(self) -> Shape:
        return self.build.shapes[self.name]

    @property
    def dtype(self) -> IntType:
        return self.build.dtype(self.name)

    @property
    def ranges(self) -> list[Range]:
        return [(self.dtype.min, self.dtype.max)] * self.shape.channels

    def finish(self, numbers: Numbers) -> str:
        if numbers.rule is None:
            return self.name
        common: dict[str, Any] = {"inputs": (self.name,), "dtype": numbers.dtype, "scale": numbers.scale}
        sums = np.arange(self.dtype.min, self.dtype.max + 1)
        if self.dtype.width <= WIDEST:
            table = numbers.rule(np.tile(sums, (self.shape.channels, 1)))
            if (table == sums).all():
                return self.name
            if not (np.diff(table, axis=1) >= 0).all():
                table = table[:1] if (table == table[0]).all() else table
                return self.build.append(
                    Lookup(name=self.build.unused_name("lookup"), **common, source=self.dtype, table=table)
                )  # fmt: skip
        rule = self.rescaled(numbers, self.ranges)
        return self.build.append(Requantize(name=self.build.unused_name("requantize"), **common, requant=rule))


@dataclass(frozen=True, eq=False)
class InputSource(IntegerSource):
    """What the file takes.

    Parameters
        path      the file
        tensor    its name
        own       shape of its frames
    """

    path: Path
    tensor: str
    own: Shape

    @property
    def shape(self) -> Shape:
        return self.own

    @property
    def ranges(self) -> list[Range]:
        raise self._error("nothing says of which integers it consists; quantize it first, or annotate its type")

    def finish(self, numbers: Numbers) -> str:
        if self.build.nodes:
            raise self._error("is quantized twice; it must be once")
        return self.build.append(Input(name="input", shape=self.own, dtype=numbers.dtype, scale=numbers.scale))

    def _error(self, why: str) -> OnnxError:
        return OnnxError(self.path, f"input {self.tensor!r}", why)


@dataclass(frozen=True, eq=False)
class SumSource(IntegerSource):
    """A node that sums, whose rule from sums to numbers is open.

    Parameters
        node    the node; its name, rule and format are placeholders
    """

    node: AccumulatingNode

    @property
    def _of_input(self) -> tuple[IntType, Shape]:
        return self.build.dtype(self.node.inputs[0]), self.build.shapes[self.node.inputs[0]]

    @property
    def shape(self) -> Shape:
        return self.node.out_shape(self._of_input[1])

    @property
    def ranges(self) -> list[Range]:
        return self.node.ranges(*self._of_input)

    def finish(self, numbers: Numbers) -> str:
        node, rule = self.node, numbers.rule
        if rule is None:
            requant = Requant.identity(self.shape.channels, *numbers.limits)
            return self.build.append(self._with(node, numbers, requant))
        falls = _falling(rule, self.ranges)
        if falls.any() and isinstance(node, WeightedNode):
            # a channel whose numbers fall as its sums rise has its weights negated
            weight = np.where(falls.reshape(-1, *(1,) * (node.weight.ndim - 1)), -node.weight, node.weight)
            node = replace(node, weight=weight)
        signs = np.where(falls, -1, 1)[:, None]
        return self.build.append(
            self._with(node, numbers, self.rescaled(numbers, node.ranges(*self._of_input), signs))
        )  # fmt: skip

    def _with(self, node: AccumulatingNode, numbers: Numbers, requant: Any) -> AccumulatingNode:
        return replace(
            node, name=self.build.unused_name(node.op), dtype=numbers.dtype, scale=numbers.scale, requant=requant
        )  # fmt: skip


def _falling(rule: Rule, ranges: list[Range]) -> np.ndarray:
    """Which channels' numbers fall as their sums rise."""
    lows, highs = (np.array(ends, np.int64) for ends in zip(*ranges, strict=True))
    sums = np.linspace(lows, highs, SAMPLES).round().astype(np.int64).T
    steps = np.diff(rule(sums), axis=1)
    falls, rises = (np.asarray(own.any(axis=1)) for own in (steps < 0, steps > 0))
    if (falls & rises).any():
        channel = int(np.flatnonzero(falls & rises)[0])
        raise ValueError(f"what becomes of its sums both rises and falls in channel {channel}; quantize it before that")
    return falls


@dataclass(frozen=True, eq=False)
class RealTensor:
    """A tensor that the graph computes: real functions of a source's integers.

    Parameters
        source       where the integers come from
        index        int64, the tensor's shape without the batch: where each of its numbers stands in a frame
        step         float64 ``[1 or channels]``: real value of an integer
        offset       float64 ``[1 or channels]``: real value of integer 0
        functions    what the file does to each real number then
        zero         what the file's integers have more than the source's
        biased       int64 ``[channels]``, where the file adds integers to the sums: what they are
        pooled       one more than the functions before the last pooling; 0 where there is none
    """

    source: IntegerSource
    index: np.ndarray
    step: np.ndarray
    offset: np.ndarray = field(default_factory=lambda: np.zeros(1))
    functions: tuple[tuple[OnnxNode, Function], ...] = ()
    zero: int = 0
    biased: np.ndarray | None = None
    pooled: int = 0

    def real(self, integers: np.ndarray, off: float = 0.0) -> np.ndarray:
        """Real numbers float32 ``[channels, n]`` of the source's integers.

        Parameters
            integers    int64 ``[channels, n]``
            off         by how many of the source's largest integer the sum is off
        """
        largest = max(abs(end) for end in self.source.limits) if off else 0
        numbers = ((integers + off * largest) * self.step[:, None] + self.offset[:, None]).astype(np.float32)
        for _, function in self.functions:
            numbers = function(numbers)
        return numbers

    def after(self, node: OnnxNode, function: Function) -> RealTensor:
        biased = self.biased if node.kind in CLIPPING else None
        return replace(self, functions=(*self.functions, (node, function)), biased=biased)

    def finished(self, name: str, step: np.ndarray, zero: int = 0) -> RealTensor:
        """The same tensor once its source has become nodes."""
        return RealTensor(NodeSource(self.source.build, name), self.index, step, zero=zero)
