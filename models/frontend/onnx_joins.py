"""Nodes of an ONNX file that take two results of the network: sums, concatenations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from models.frontend.exact_rescaling import added, repeated
from models.frontend.graph_builder import GraphBuilder
from models.frontend.onnx_file import OnnxNode
from models.frontend.onnx_sources import IntegerSource, Numbers, RealTensor
from models.frontend.onnx_tensors import Tensors, canonical
from models.ir.node import Shape
from models.ir.ops.add import Add
from models.ir.ops.concat import Concat
from models.ir.requant import Range, Requant
from models.ir.thresholds import Rescaling

MOST_RATIO = 1 << 8
"""Of the steps of two numbers that are added as whole multiples of one step."""
RATIO_ERROR = 1e-7


def joined(tensors: Tensors, node: OnnxNode) -> None:
    """A function of two results of one number, as ``x * sigmoid(x)``."""
    a, b = tensors.tensor(node, 0), tensors.tensor(node, 1)
    if a.source is not b.source or not np.array_equal(a.index, b.index):
        raise tensors.error(node, "takes two results of the network; supported is that of two functions of one number")
    operation: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
        "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide
    }  # fmt: skip
    common = replace(a, functions=(), biased=None, step=np.ones(1), offset=np.zeros(1))

    def both(integers: np.ndarray) -> np.ndarray:
        whole = np.rint(integers).astype(np.int64)
        return operation[node.kind](a.real(whole), b.real(whole))

    tensors.put(node, common.after(node, both))


@dataclass(frozen=True, eq=False)
class ConcatSource(IntegerSource):
    """The channels of two nodes.

    Parameters
        names    the nodes
    """

    names: tuple[str, str]

    @property
    def shape(self) -> Shape:
        a, b = (self.build.shapes[name] for name in self.names)
        return a._replace(channels=a.channels + b.channels)

    @property
    def ranges(self) -> list[Range]:
        pairs = [(self.build.dtype(name), self.build.shapes[name].channels) for name in self.names]
        return [(dtype.min, dtype.max) for dtype, channels in pairs for _ in range(channels)]

    def finish(self, numbers: Numbers) -> str:
        if numbers.rule is None:
            rule = Requant.identity(self.shape.channels, *numbers.limits)
        else:
            rule = self.rescaled(numbers, self.ranges)
        name = self.build.unused_name("concat")
        node = Concat(name=name, inputs=self.names, dtype=numbers.dtype, scale=numbers.scale, requant=rule)
        return self.build.append(node)


def concat(tensors: Tensors, node: OnnxNode) -> None:
    """The channels of several tensors, two at a time."""
    parts = [tensors.image(node, place)[0] for place in range(len(node.inputs))]
    sides = parts[0].index.ndim
    if node.attributes.get("axis", 1) % (sides + 1) != 1:
        raise tensors.error(node, f"its axis {node.attributes.get('axis')} must be that of the channels, 1")
    found = parts[0]
    for number, other in enumerate(parts[1:], 2):
        if number > 2:
            found = tensors.settled(found, node)
        source = ConcatSource(tensors.build, (tensors.node_of(found), tensors.node_of(other)))
        spread = [np.broadcast_to(own.step, (own.source.shape.channels,)) for own in (found, other)]
        step = np.concatenate(spread)
        step = step[:1] if (step == step[0]).all() else step
        found = RealTensor(source, canonical(source.shape, sides), step)
    tensors.put(node, found)


@dataclass(frozen=True, eq=False)
class AddSource(IntegerSource):
    """Whole multiples of the integers of two nodes, added.

    Parameters
        names     the nodes
        times     by what each is multiplied
    """

    names: tuple[str, str]
    times: tuple[int, int]

    @property
    def shape(self) -> Shape:
        return self.build.shapes[self.names[0]]

    @property
    def _branches(self) -> list[Requant]:
        branches = []
        for name, times in zip(self.names, self.times, strict=True):
            dtype = self.build.dtype(name)
            identity = Requant.identity(self.shape.channels, dtype.min * times, dtype.max * times)
            branches.append(replace(identity, mult=identity.mult * times))
        return branches

    @property
    def ranges(self) -> list[Range]:
        a, b = self._branches
        return [(a.lo + b.lo, a.hi + b.hi)] * self.shape.channels

    def finish(self, numbers: Numbers) -> str:
        a, b = self._branches
        total = None
        if numbers.rule is not None:
            total = self.rescaled(numbers, self.ranges)
        return _added(self.build, self.names, numbers, a, b, total)


@dataclass(frozen=True, eq=False)
class PairSource(IntegerSource):
    """The integers of two nodes, of any two steps, told apart pair by pair: ``first * count of seconds + second``.

    Parameters
        names    the nodes
        steps    their steps
    """

    names: tuple[str, str]
    steps: tuple[float, float]

    @property
    def shape(self) -> Shape:
        return self.build.shapes[self.names[0]]

    @property
    def numbers(self) -> list[np.ndarray]:
        return [self.build.dtype(name).values() for name in self.names]

    @property
    def ranges(self) -> list[Range]:
        a, b = self.numbers
        return [(0, len(a) * len(b) - 1)] * self.shape.channels

    def finish(self, numbers: Numbers) -> str:
        a, b = self.numbers
        where = f"the sum of {self.names[0]} and {self.names[1]}"
        if numbers.rule is None:
            raise ValueError(f"{where} has steps that are no multiples of each other; quantize it")
        results = numbers.rule(np.tile(np.arange(len(a) * len(b)), (self.shape.channels, 1)))
        if (results != results[0]).any():
            raise ValueError(f"{where} becomes other numbers in each channel, of steps that are no multiples")
        steps = [step / numbers.scale for step in self.steps]
        found = added([a, b], results[0].reshape(len(a), len(b)), steps, numbers.limits, numbers.dtype)
        if found is None:
            raise ValueError(f"{where} cannot be had by two multiplications and a sum, as the file rounds")
        left, right, total = found
        channels = self.shape.channels
        total = repeated(total, channels) if isinstance(total, Requant) else total
        return _added(self.build, self.names, numbers, repeated(left, channels), repeated(right, channels), total)


def _added(
    build: GraphBuilder, names: tuple[str, str], numbers: Numbers, a: Requant, b: Requant, total: Rescaling | None
) -> str:
    """Append an add."""
    low, high = numbers.limits
    node = Add(
        name=build.unused_name("add"), inputs=names, dtype=numbers.dtype, scale=numbers.scale,
        a=a, b=b, lo=low, hi=high, total=total,
    )  # fmt: skip
    return build.append(node)


def add(tensors: Tensors, node: OnnxNode) -> None:
    """The sum of two tensors that the network computes."""
    a, b = tensors.tensor(node, 0), tensors.tensor(node, 1)
    if a.source is b.source and np.array_equal(a.index, b.index):
        joined(tensors, node)
        return
    a, b = tensors.integers(node, 0), tensors.integers(node, 1)
    if a.source.shape != b.source.shape or not np.array_equal(a.index, b.index):
        raise tensors.error(node, f"adds {a.source.shape} and {b.source.shape}; must be of one shape")
    if len(a.step) > 1 or len(b.step) > 1:
        raise tensors.error(node, "one of its inputs has a scale for each channel; each must have one")
    first, second = float(a.step[0]), float(b.step[0])
    names = tensors.node_of(a), tensors.node_of(b)
    ratio = Fraction(first / second).limit_denominator(MOST_RATIO)
    times = ratio.numerator, ratio.denominator
    if 0 < times[0] <= MOST_RATIO and math.isclose(float(ratio), first / second, rel_tol=RATIO_ERROR):
        source = AddSource(tensors.build, names, times)
        tensors.put(node, RealTensor(source, a.index, np.array([second / times[1]])))
        return
    pairs = PairSource(tensors.build, names, (first, second))
    left, right = pairs.numbers

    def total(numbers: np.ndarray) -> np.ndarray:
        whole = np.rint(numbers).astype(np.int64)
        mine = (left[whole // len(right)] * first).astype(np.float32)
        return mine + (right[whole % len(right)] * second).astype(np.float32)

    tensors.put(node, RealTensor(pairs, a.index, np.ones(1)).after(node, total))
