"""What each node of an ONNX file becomes: sums, poolings, functions of single numbers, renamings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from models.frontend.exact_rescaling import added, repeated, rescaling
from models.frontend.onnx_file import OnnxNode
from models.frontend.onnx_functions import constant_of, function_of, order_of
from models.frontend.onnx_quantizers import GRIDS, dequantize, quantize
from models.frontend.onnx_streams import Constant, NodeSource, Numbers, Source, Stream, SumSource
from models.frontend.onnx_tensors import Tensors, canonical
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.concat import Concat
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.linear import Linear
from models.ir.ops.max_pool import MaxPool
from models.ir.ops.windowed import refusal
from models.ir.requant import Range, Requant
from models.ir.window import Window

OPEN: dict[str, Any] = {"name": "open", "dtype": IntType(8), "requant": Requant.identity(1, 0, 0)}
"""Placeholders of a node whose rule is not known yet."""
MOST_RATIO = 1 << 12
"""Of the steps of two numbers that are added as whole multiples of one step."""
RATIO_ERROR = 1e-7
BIAS_ERROR = 1e-3
"""How far a bias may be from a whole number of steps to be one, in steps."""


def function(tensors: Tensors, node: OnnxNode) -> None:
    """A function of single numbers, with constants or of two results of one number."""
    taken = [tensors.value(node, place) for place in range(len(node.inputs))]
    streams = [place for place, own in enumerate(taken) if isinstance(own, Stream)]
    if not streams:
        tensors.put(node, Constant(constant_of(tensors.file, node)))
    elif len(streams) == 1:
        stream = tensors.stream(node, streams[0])
        own = function_of(tensors.file, node, streams[0], stream.index, stream.source.shape.channels)
        tensors.put(node, stream.after(node, own))
    else:
        TWO[node.kind](tensors, node) if node.kind in TWO else _joined(tensors, node)


def _joined(tensors: Tensors, node: OnnxNode) -> None:
    """A function of two results of one number, as ``x * sigmoid(x)``."""
    a, b = tensors.stream(node, 0), tensors.stream(node, 1)
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


def conv(tensors: Tensors, node: OnnxNode) -> None:
    """A convolution of an image or a sequence."""
    stream, name = tensors.image(node)
    weight, steps, dtype = tensors.weights(node, 1, 0)
    if weight.ndim != stream.index.ndim + 1:
        raise tensors.error(node, f"its weights of shape {weight.shape} do not fit its input's {stream.index.shape}")
    weight = weight[:, :, None] if weight.ndim == 3 else weight
    sizes = _window(tensors, node, stream, weight.shape[2:])
    groups = node.attributes.get("group", 1)
    shape = stream.source.shape
    if weight.shape[1] * groups != shape.channels or len(weight) % groups:
        raise tensors.error(node, f"its weights of shape {weight.shape} in {groups} groups do not fit {shape}")
    draft = Conv(inputs=(name,), **sizes, groups=groups, weight=weight, weight_dtype=dtype, **OPEN)
    step = stream.step
    if len(step) > 1:
        if not draft.depthwise:
            raise tensors.error(node, "its input has a scale for each channel; only a depthwise convolution may")
        step = np.repeat(step, len(weight) // groups)
    _sum(tensors, node, draft, stream, step * steps, stream.index.ndim, 2)


def _sum(tensors: Tensors, node: OnnxNode, draft: Any, stream: Stream, step: np.ndarray, sides: int, bias: int) -> None:
    """What a node that sums gives, with its bias."""
    source = SumSource(tensors.build, draft)
    offset, biased = np.zeros(1), None
    channels = source.shape.channels
    if bias:
        constant = tensors.value(node, bias)
        biased = np.zeros(channels, np.int64)
        if isinstance(constant, Stream):
            raise tensors.error(node, f"input {bias}, {node.inputs[bias]!r}, must be a constant")
        if constant is not None:
            offset = np.broadcast_to(constant.numbers.astype(np.float64).reshape(-1), (channels,))
            whole = offset / step
            biased = np.rint(whole).astype(np.int64) if np.abs(whole - np.rint(whole)).max() < BIAS_ERROR else None
    index = canonical(source.shape, sides)
    tensors.put(node, Stream(source, index, np.broadcast_to(step, (channels,)), offset, biased=biased))


def linear(tensors: Tensors, node: OnnxNode) -> None:
    """Gemm and MatMul with constant weights: a linear layer."""
    options = node.attributes
    stream = tensors.integers(node)
    turned = node.kind == "Gemm" and options.get("transB", 0)
    scaled = options.get("alpha", 1.0) != 1 or options.get("beta", 1.0) != 1
    if stream.index.ndim != 1 or options.get("transA", 0) or scaled:
        raise tensors.error(node, f"takes {stream.index.shape} numbers a batch, must take [batch, features], unscaled")
    weight, steps, dtype = tensors.weights(node, 1, 0 if turned else 1)
    weight = weight if turned else weight.T
    shape = stream.source.shape
    if weight.shape[1] != len(stream.index):
        raise tensors.error(node, f"its weights of shape {weight.shape} do not fit {len(stream.index)} numbers")
    if len(stream.step) > 1:
        raise tensors.error(node, "its input has a scale for each channel; must have one")
    spread = np.zeros((len(weight), math.prod(shape)), np.int64)
    np.add.at(spread, (slice(None), stream.index), weight)
    draft = Linear(
        inputs=(tensors.node_of(stream),), weight=spread.reshape(len(weight), *shape), weight_dtype=dtype, **OPEN
    )  # fmt: skip
    _sum(tensors, node, draft, stream, stream.step * steps, 1, 2 if node.kind == "Gemm" else 0)


def _window(tensors: Tensors, node: OnnxNode, stream: Stream, kernel: tuple[int, ...]) -> dict[str, Any]:
    """Kernel, stride, padding and dilation, of a sequence as of an image of one row."""
    options, line = node.attributes, stream.index.ndim == 2
    auto = options.get("auto_pad", "NOTSET")
    if options.get("ceil_mode", 0):
        raise tensors.error(node, "has ceil_mode 1; must be 0")
    count = 1 if line else 2
    stride, dilation = options.get("strides", [1] * count), options.get("dilations", [1] * count)
    kernel = kernel[-count:]
    pads = options.get("pads", [0] * 2 * count)
    if len(stride) != count or len(dilation) != count or len(pads) != 2 * count or len(kernel) != count:
        raise tensors.error(node, f"strides {stride}, dilations {dilation} and pads {pads} must be of {count} axes")
    if auto in {"SAME_UPPER", "SAME_LOWER"}:
        shape = stream.source.shape[:2][-count:]
        missing = [
            max(0, (-(-side // step) - 1) * step + (taps - 1) * apart + 1 - side)
            for side, step, taps, apart in zip(shape, stride, kernel, dilation, strict=True)
        ]
        less, more = [own // 2 for own in missing], [own - own // 2 for own in missing]
        pads = less + more if auto == "SAME_UPPER" else more + less
    first, last = pads[:count], pads[count:]
    if line:
        sizes = {"kernel": (1, kernel[0]), "stride": (1, stride[0]), "padding": (0, first[0], 0, last[0])}
        dilation = [1, dilation[0]]
    else:
        sizes = {"kernel": tuple(kernel), "stride": tuple(stride), "padding": (*first, *last)}
    sizes = {name: tuple(int(own) for own in value) for name, value in sizes.items()}
    if node.kind == "Conv":
        sizes["dilation"] = (int(dilation[0]), int(dilation[1]))
    elif any(own != 1 for own in dilation):
        raise tensors.error(node, f"dilations {dilation} must be 1")
    refused = refusal(Window.of(*(sizes[name] for name in sizes)), stream.source.shape)
    if refused:
        raise tensors.error(node, f"{refused[0]} {sizes[refused[0]]} {refused[1]}")
    return sizes


@dataclass(frozen=True, eq=False)
class PoolSource(Source):
    """The largest numbers of windows over a source.

    Parameters
        inner    the source
        sizes    kernel, stride and padding
    """

    inner: Source
    sizes: dict[str, Any]

    @property
    def shape(self) -> Shape:
        inner = self.inner.shape
        return Shape(*Window.of(**self.sizes).out_sides(inner.height, inner.width), inner.channels)

    @property
    def ranges(self) -> list[Range]:
        return self.inner.ranges

    def finish(self, numbers: Numbers) -> str:
        name, build = self.inner.finish(numbers), self.build
        node = MaxPool(
            name=build.name("max_pool"), inputs=(name,), dtype=build.dtype(name), scale=numbers.scale, **self.sizes
        )
        return build.append(node)


def largest(tensors: Tensors, node: OnnxNode) -> None:
    """MaxPool: the quantizer that follows comes before it, as it never falls."""
    stream = tensors.stream(node)
    if not np.array_equal(stream.index, canonical(stream.source.shape, stream.index.ndim)):
        raise tensors.error(node, "its input is no frame, channels first")
    if len(node.outputs) > 1 and node.outputs[1]:
        raise tensors.error(node, "gives indices; must give the largest numbers alone")
    sizes = _window(tensors, node, stream, tuple(node.attributes["kernel_shape"]))
    if Window.of(**sizes).may_be_empty:
        raise tensors.error(node, f"its stride {sizes['stride']} is larger than its kernel {sizes['kernel']}")
    source = PoolSource(tensors.build, stream.source, sizes)
    index = canonical(source.shape, stream.index.ndim)
    pooled = replace(stream, source=source, index=index, pooled=len(stream.functions) + 1)
    plain = not stream.functions and not stream.offset.any() and isinstance(stream.source, NodeSource)
    tensors.put(node, replace(tensors.settled(pooled, node), zero=stream.zero) if plain else pooled)


def average(tensors: Tensors, node: OnnxNode) -> None:
    """A mean over windows, or over the whole frame."""
    stream, name = tensors.image(node)
    shape, sides = stream.source.shape, stream.index.ndim
    whole = node.kind != "AveragePool"
    if node.kind == "ReduceMean":
        given = tensors.constant(node, 1)
        axes = node.attributes.get("axes") if given is None else given.reshape(-1).tolist()
        if axes is None or sorted(axis % (sides + 1) for axis in axes) != list(range(2, sides + 1)):
            raise tensors.error(node, f"its axes {axes} must be all but batch and channels")
        sides = sides if node.attributes.get("keepdims", 1) else 1
    if whole:
        _means(tensors, node, stream, GlobalPool(inputs=(name,), **OPEN), shape.height * shape.width, sides)
        return
    sizes = _window(tensors, node, stream, tuple(node.attributes["kernel_shape"]))
    if any(sizes["padding"]) and not node.attributes.get("count_include_pad", 0):
        raise tensors.error(node, "pads; a mean over fewer numbers at the border is not supported")
    draft = AvgPool(inputs=(name,), **sizes, **OPEN)
    if sizes["kernel"] == shape[:2] and not any(sizes["padding"]):
        draft = GlobalPool(inputs=(name,), **OPEN)
    _means(tensors, node, stream, draft, math.prod(sizes["kernel"]), sides)


def _means(tensors: Tensors, node: OnnxNode, stream: Stream, draft: Any, count: int, sides: int) -> None:
    step = np.broadcast_to(stream.step / count, (stream.source.shape.channels,))
    _sum(tensors, node, draft, stream, step, sides, 0)


@dataclass(frozen=True, eq=False)
class ConcatSource(Source):
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
            rule = rescaling(numbers.rule, numbers.dtype, self.ranges, numbers.limits)
        name = self.build.name("concat")
        node = Concat(name=name, inputs=self.names, dtype=numbers.dtype, scale=numbers.scale, requant=rule)
        return self.build.append(node)


def concat(tensors: Tensors, node: OnnxNode) -> None:
    """The channels of several tensors, two at a time."""
    streams = [tensors.image(node, place)[0] for place in range(len(node.inputs))]
    sides = streams[0].index.ndim
    if node.attributes.get("axis", 1) % (sides + 1) != 1:
        raise tensors.error(node, f"its axis {node.attributes.get('axis')} must be that of the channels, 1")
    found = streams[0]
    for number, other in enumerate(streams[1:], 2):
        if number > 2:
            found = tensors.settled(found, node)
        source = ConcatSource(tensors.build, (tensors.node_of(found), tensors.node_of(other)))
        spread = [np.broadcast_to(own.step, (own.source.shape.channels,)) for own in (found, other)]
        step = np.concatenate(spread)
        step = step[:1] if (step == step[0]).all() else step
        found = Stream(source, canonical(source.shape, sides), step)
    tensors.put(node, found)


@dataclass(frozen=True, eq=False)
class AddSource(Source):
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
            total = rescaling(numbers.rule, numbers.dtype, self.ranges, numbers.limits)
        low, high = numbers.limits
        node = Add(
            name=self.build.name("add"), inputs=self.names, dtype=numbers.dtype, scale=numbers.scale,
            a=a, b=b, lo=low, hi=high, total=total,
        )  # fmt: skip
        return self.build.append(node)


@dataclass(frozen=True, eq=False)
class PairSource(Source):
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
        file = self.build.file
        where = f"the sum of {self.names[0]} and {self.names[1]}"
        if numbers.rule is None:
            raise file.error(where, "has steps that are no multiples of each other; quantize it")
        results = numbers.rule(np.tile(np.arange(len(a) * len(b)), (self.shape.channels, 1)))
        if (results != results[0]).any():
            raise file.error(where, "becomes other numbers in each channel, and has steps that are no multiples")
        steps = [step / numbers.scale for step in self.steps]
        found = added([a, b], results[0].reshape(len(a), len(b)), steps, numbers.limits, numbers.dtype)
        if found is None:
            raise file.error(where, "cannot be had by two multiplications and a sum, for the file's roundings")
        left, right, total = found
        channels = self.shape.channels
        node = Add(
            name=self.build.name("add"), inputs=self.names, dtype=numbers.dtype, scale=numbers.scale,
            a=repeated(left, channels), b=repeated(right, channels), lo=numbers.limits[0], hi=numbers.limits[1],
            total=repeated(total, channels) if isinstance(total, Requant) else total,
        )  # fmt: skip
        return self.build.append(node)


def add(tensors: Tensors, node: OnnxNode) -> None:
    """The sum of two tensors that the network computes."""
    a, b = tensors.stream(node, 0), tensors.stream(node, 1)
    if a.source is b.source and np.array_equal(a.index, b.index):
        _joined(tensors, node)
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
        tensors.put(node, Stream(source, a.index, np.array([second / times[1]])))
        return
    pairs = PairSource(tensors.build, names, (first, second))
    left, right = pairs.numbers

    def total(numbers: np.ndarray) -> np.ndarray:
        whole = np.rint(numbers).astype(np.int64)
        mine = np.float32(left[whole // len(right)] * first)
        return mine + np.float32(right[whole % len(right)] * second)

    tensors.put(node, Stream(pairs, a.index, np.ones(1)).after(node, total))


TWO: dict[str, Callable[[Tensors, OnnxNode], None]] = {"Add": add}
"""Functions of two numbers that the network computes."""


def renaming(tensors: Tensors, node: OnnxNode) -> None:
    """Another shape or order of the same numbers: it becomes no node."""
    value = tensors.value(node, 0)
    if isinstance(value, Constant):
        tensors.put(node, _renamed_constant(tensors, node, value))
        return
    stream = tensors.stream(node)
    for place in range(1, len(node.inputs)):
        tensors.constant(node, place)
    index = order_of(tensors.file, node, stream.index[None])
    if index.shape[:1] != (1,):
        raise tensors.error(node, f"gives a tensor of shape {index.shape}; its batch must stay 1")
    tensors.put(node, replace(stream, index=index[0]))


def _renamed_constant(tensors: Tensors, node: OnnxNode, value: Constant) -> Constant:
    numbers = order_of(tensors.file, node, np.arange(value.numbers.size).reshape(value.numbers.shape))
    if value.integers is None or value.step is None:
        return Constant(value.numbers.reshape(-1)[numbers])
    step = np.broadcast_to(value.step, value.numbers.shape).reshape(-1)[numbers]
    return Constant(value.numbers.reshape(-1)[numbers], value.integers.reshape(-1)[numbers], step)


def same(tensors: Tensors, node: OnnxNode) -> None:
    """What leaves every number as it is."""
    value = tensors.value(node, 0)
    assert value is not None
    tensors.put(node, value)


FUNCTIONS = (
    "Abs Add BatchNormalization Celu Clip Div Elu Exp Gelu HardSigmoid HardSwish LeakyRelu Mish Mul Neg PRelu Pow "
    "Relu Selu Sigmoid Softplus Softsign Sqrt Sub Tanh"
).split()
RENAMINGS = "Flatten Reshape Squeeze Transpose Unsqueeze".split()
ENDINGS = {"ArgMax", "LogSoftmax", "Softmax", "TopK"}
"""What may end a network: it is computed outside of it."""
OPERATORS: dict[str, Callable[[Tensors, OnnxNode], None]] = {
    **dict.fromkeys(FUNCTIONS, function),
    **dict.fromkeys(RENAMINGS, renaming),
    **dict.fromkeys(GRIDS, quantize),
    "AveragePool": average,
    "Concat": concat,
    "Conv": conv,
    "DequantizeLinear": dequantize,
    "Dropout": same,
    "Gemm": linear,
    "GlobalAveragePool": average,
    "Identity": same,
    "MatMul": linear,
    "MaxPool": largest,
    "ReduceMean": average,
}
