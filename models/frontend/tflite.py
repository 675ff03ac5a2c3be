"""Networks from TensorFlow Lite files of 8-bit integers: the graph computes what the reference kernels do, exactly.

A number of the file stands for ``scale * (number - zero point)``; the graph's numbers have the zero point taken off, so
that zero is zero, also around an image. Where a file's zero point is not -128 (0 for unsigned numbers), that takes a
ninth bit. How a sum becomes a number, with all the kernels' roundings, never falls as the sum grows: it is a list of
levels, and where it can be a multiplication and a shift, it becomes one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.frontend import tflite_kernels as kernels
from models.frontend.exact_rescaling import added, repeated, rescaling
from models.frontend.tflite_file import TfliteError, TfliteFile, TfliteOperator, TfliteTensor, read_tflite
from models.ir.accumulator import AccumulatingNode
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.node import GraphError, Node, Shape
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.ops.max_pool import MaxPool
from models.ir.requant import Range, Requant
from models.ir.window import Window

LIMITS = {"INT8": (-128, 127), "UINT8": (0, 255)}
"""Least and largest number of a quantized tensor, by its type."""
SAME = 0
ACTIVATIONS: dict[int, tuple[float, float]] = {
    0: (-math.inf, math.inf), 1: (0.0, math.inf), 2: (-1.0, 1.0), 3: (0.0, 6.0),
}  # fmt: skip
"""Real bounds of the activations that may be fused: none, ReLU, ReLU from -1 to 1, ReLU6."""
LEFT_SHIFT = 20
"""Bits by which the kernel of an add shifts its inputs to the left."""


@dataclass(frozen=True, eq=False)
class TfliteNetwork:
    """A network of a file.

    Parameters
        graph         the integer graph, up to a softmax at the end
        zero_point    what the file adds to the graph's output
        softmax       what the file makes of the output's numbers, with its zero point; None where it ends there
        notes         sentences on what was left out
    """

    graph: Graph
    zero_point: int
    softmax: Callable[[np.ndarray], np.ndarray] | None
    notes: tuple[str, ...]

    def outputs(self, numbers: np.ndarray) -> np.ndarray:
        """The file's outputs for outputs ``[n, ...]`` of the graph.

        Parameters
            numbers    int64
        """
        numbers = numbers + self.zero_point
        return numbers if self.softmax is None else self.softmax(numbers)


def import_tflite(path: Path, name: str | None = None) -> TfliteNetwork:
    """The network of a file.

    Parameters
        path       the file
        name       name of the graph; that of the file where left out
    Raises         TfliteError: the file is damaged, or has something that cannot be imported exactly
    """
    return _Importer(read_tflite(path)).network(name or _valid_name(path.stem))


def _valid_name(text: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in text.lower())[:48] or "network"


class _Importer:
    """Builds a graph, one operator at a time.

    Parameters
        file    what a file holds
    """

    def __init__(self, file: TfliteFile) -> None:
        self.file = file
        self.nodes: list[Node] = []
        self.shapes: dict[str, Shape] = {}
        self.node_of: dict[int, str] = {}
        self.softmax: Callable[[np.ndarray], np.ndarray] | None = None
        self.notes: list[str] = []

    def network(self, name: str) -> TfliteNetwork:
        if len(self.file.inputs) != 1 or len(self.file.outputs) != 1:
            count = f"has {len(self.file.inputs)} inputs and {len(self.file.outputs)} outputs"
            raise TfliteError(self.file.path, "", f"{count}; must have one of each")
        self._input(self.file.inputs[0])
        output = self.file.outputs[0]
        for operator in self.file.operators:
            if operator.kind not in OPERATORS:
                raise self._error(operator, f"is not supported; supported are {', '.join(OPERATORS)}")
            if self.softmax is not None:
                raise self._error(operator, "follows a softmax, which must be the last operator")
            try:
                OPERATORS[operator.kind](self, operator)
            except GraphError as error:
                raise self._error(operator, str(error)) from error
        if output not in self.node_of:
            raise TfliteError(self.file.path, "", "no operator computes its output")
        last = self.softmax_of if self.softmax is not None else self.file.tensors[output]
        try:
            graph = Graph(name, tuple(self.nodes), self.node_of[output])
        except GraphError as error:
            raise TfliteError(self.file.path, "", str(error)) from error
        return TfliteNetwork(graph, self._zero(last), self.softmax, tuple(self.notes))

    def _error(self, operator: TfliteOperator, why: str) -> TfliteError:
        return TfliteError(self.file.path, str(operator), why)

    def _input(self, number: int) -> None:
        tensor = self.file.tensors[number]
        sides = tensor.shape[1:]
        if not 1 <= len(sides) <= 3 or tensor.shape[:1] not in {(1,), ()}:
            raise TfliteError(self.file.path, f"input {tensor.name!r}", f"shape {tensor.shape} must be 1 x H x W x C")
        shape = Shape(*(1,) * (3 - len(sides)), *sides)
        dtype, scale = self._format(tensor, f"input {tensor.name!r}")
        self._append(Input(name="input", shape=shape, dtype=dtype, scale=scale), number)

    def _append(self, node: Node, output: int) -> None:
        shapes = tuple(self.shapes[name] for name in node.inputs)
        self.shapes[node.name] = node.out_shape(*shapes)
        self.nodes.append(node)
        self.node_of[output] = node.name

    def _node(self, number: int, operator: TfliteOperator) -> str:
        if number not in self.node_of:
            raise self._error(operator, f"takes tensor {number}, which nothing before it computes")
        return self.node_of[number]

    def _zero(self, tensor: TfliteTensor) -> int:
        return int(tensor.zero_point[0])

    def _limits(self, tensor: TfliteTensor) -> Range:
        low, high = LIMITS[tensor.kind]
        return low - self._zero(tensor), high - self._zero(tensor)

    def _format(self, tensor: TfliteTensor, where: str) -> tuple[IntType, float]:
        """The format and the scale of a quantized tensor's numbers less their zero point."""
        if tensor.kind not in LIMITS or len(tensor.scale) != 1:
            why = f"is of {tensor.kind} with {len(tensor.scale)} scales; must be INT8 or UINT8 with one"
            raise TfliteError(self.file.path, where, why)
        low, high = LIMITS[tensor.kind]
        if not low <= self._zero(tensor) <= high:
            raise TfliteError(self.file.path, where, f"has zero point {self._zero(tensor)}; must be {low} to {high}")
        low, high = self._limits(tensor)
        bits = max(high.bit_length(), (-low - 1).bit_length() if low else 0)
        return IntType(bits + (low < 0), low < 0), float(tensor.scale[0])

    def _source(self, operator: TfliteOperator, place: int = 0) -> tuple[str, TfliteTensor]:
        tensor = self.file.tensors[operator.inputs[place]]
        self._format(tensor, f"{operator}, input {place}")
        return self._node(operator.inputs[place], operator), tensor

    def _common(self, operator: TfliteOperator, inputs: tuple[str, ...]) -> dict[str, Any]:
        dtype, scale = self._format(self.file.tensors[operator.outputs[0]], f"{operator}, output")
        return {"name": f"{operator.kind.lower()}_{operator.number}", "inputs": inputs, "dtype": dtype, "scale": scale}

    def _activated(self, operator: TfliteOperator) -> Range:
        """The lowest and the highest number that the fused activation leaves, less the zero point."""
        tensor = self.file.tensors[operator.outputs[0]]
        low, high = self._limits(tensor)
        kind = operator.options.get("FusedActivationFunction", 0)
        if kind not in ACTIVATIONS:
            raise self._error(operator, f"its fused activation {kind} is not supported")
        first, last = (bound / float(tensor.scale[0]) for bound in ACTIVATIONS[kind])
        low = low if first == -math.inf else max(low, math.floor(first + 0.5))
        high = high if last == math.inf else min(high, math.floor(last + 0.5))
        if low > high:
            raise self._error(operator, "its fused activation leaves no number")
        return low, high

    def _weights(self, operator: TfliteOperator, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights less their zero points, their float32 scales by output channel, and the biases."""
        tensor = self.file.tensors[operator.inputs[1]]
        if tensor.data is None or tensor.kind not in LIMITS or not len(tensor.scale):
            raise self._error(
                operator, f"its weights are {tensor.kind}; must be constants of INT8 or UINT8 with scales"
            )
        channels = tensor.shape[axis]
        if len(tensor.scale) not in {1, channels}:
            raise self._error(operator, f"its weights have {len(tensor.scale)} scales; must have 1 or {channels}")
        zeros = tensor.zero_point.reshape(
            [-1 if side == axis % len(tensor.shape) else 1 for side in range(len(tensor.shape))]
        )
        weights = tensor.data.astype(np.int64) - zeros
        if weights.size and not (weights.min() >= -128 and weights.max() <= 127):
            raise self._error(operator, "its weights less their zero points need more than 8 bits")
        bias = np.zeros(channels, np.int64)
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            data = self.file.tensors[operator.inputs[2]].data
            if data is None or data.shape != (channels,) or data.dtype != np.int32:
                raise self._error(operator, f"its biases must be {channels} constants of INT32")
            bias = data.astype(np.int64)
        return weights, np.broadcast_to(tensor.scale, (channels,)), bias

    def _accumulate(
        self, operator: TfliteOperator, node: Any, rule: Callable[[np.ndarray], np.ndarray], limits: Range
    ) -> None:
        """Append a node whose sums become numbers by a rule of ``[channels, n]`` sums."""
        source = next(own for own in self.nodes if own.name == node.inputs[0])
        shape = self.shapes[source.name]
        node.check_weight(shape)
        ranges = node.ranges(source.dtype, shape)
        self._append(replace(node, requant=rescaling(rule, node.dtype, ranges, limits)), operator.outputs[0])

    def _window(self, operator: TfliteOperator, source: str, kernel: tuple[int, int]) -> dict[str, Any]:
        """Kernel, stride, dilation and padding, as TensorFlow pads."""
        options, shape = operator.options, self.shapes[source]
        stride = options["StrideH"], options["StrideW"]
        dilation = options.get("DilationHFactor", 1), options.get("DilationWFactor", 1)
        padding = (0, 0, 0, 0)
        if min(stride) < 1 or min(dilation) < 1:
            raise self._error(operator, f"stride {stride} and dilation {dilation} must be 1 or more")
        if options["Padding"] == SAME:
            ends = []
            for side, taps, step, apart in zip(shape[:2], kernel, stride, dilation, strict=True):
                missing = max(0, (-(-side // step) - 1) * step + (taps - 1) * apart + 1 - side)
                ends.append((missing // 2, missing - missing // 2))
            padding = (ends[0][0], ends[1][0], ends[0][1], ends[1][1])
        return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}

    def conv(self, operator: TfliteOperator) -> None:
        source, tensor = self._source(operator)
        depthwise = operator.kind == "DEPTHWISE_CONV_2D"
        weights, scales, bias = self._weights(operator, 3 if depthwise else 0)
        if weights.ndim != 4:
            raise self._error(operator, f"its weights have shape {weights.shape}; must have 4 sides")
        weights = weights.transpose(3, 0, 1, 2) if depthwise else weights.transpose(0, 3, 1, 2)
        channels = self.shapes[source].channels
        node = Conv(
            **self._common(operator, (source,)),
            **self._window(operator, source, (weights.shape[2], weights.shape[3])),
            groups=channels if depthwise else channels // max(1, weights.shape[1]),
            weight=np.ascontiguousarray(weights),
            weight_dtype=IntType(8),
            requant=Requant.identity(len(weights), 0, 1),
        )
        output = float(self.file.tensors[operator.outputs[0]].scale[0])
        # the kernels of convolution multiply scales in double precision
        factors = float(tensor.scale[0]) * scales.astype(np.float64) / output
        self._scaled_sums(operator, node, kernels.Multiplier.of(factors).apply, bias)

    def linear(self, operator: TfliteOperator) -> None:
        source, tensor = self._source(operator)
        weights, scales, bias = self._weights(operator, 0)
        shape = self.shapes[source]
        if operator.options.get("WeightsFormat", 0) or weights.ndim != 2:
            raise self._error(operator, f"its weights of shape {weights.shape} must be [outputs, inputs], unshuffled")
        if weights.shape[1] != math.prod(shape):
            raise self._error(operator, f"has weights for {weights.shape[1]} inputs; its input is {shape}")
        node = Linear(
            **self._common(operator, (source,)),
            weight=weights.reshape(len(weights), *shape),
            weight_dtype=IntType(8),
            requant=Requant.identity(len(weights), 0, 1),
        )
        output = float(self.file.tensors[operator.outputs[0]].scale[0])
        # those of a linear layer in single precision, unless each output has a scale of its own
        alike = len(self.file.tensors[operator.inputs[1]].scale) == 1
        products = (
            (tensor.scale[0] * scales).astype(np.float64)
            if alike
            else float(tensor.scale[0]) * scales.astype(np.float64)
        )
        multiplier = kernels.Multiplier.of(products.astype(np.float64) / output)
        self._scaled_sums(operator, node, multiplier.apply_once, bias)

    def _scaled_sums(
        self,
        operator: TfliteOperator,
        node: AccumulatingNode,
        scaled: Callable[[np.ndarray], np.ndarray],
        bias: np.ndarray,
    ) -> None:
        """Append a node whose sums ``[channels, n]`` are scaled as its kernel does it."""
        limits = self._activated(operator)

        def rule(sums: np.ndarray) -> np.ndarray:
            return np.clip(scaled(sums + bias[:, None]), *limits)

        self._accumulate(operator, node, rule, limits)

    def average(self, operator: TfliteOperator) -> None:
        source, tensor = self._source(operator)
        kernel = operator.options["FilterHeight"], operator.options["FilterWidth"]
        self._same_scale(operator, tensor)
        window = self._window(operator, source, kernel)
        zero, count, limits = self._zero(tensor), math.prod(kernel), self._activated(operator)
        if any(window["padding"]):
            raise self._error(operator, "pads; a mean over fewer numbers at the border is not supported")

        def rule(sums: np.ndarray) -> np.ndarray:
            return np.clip(kernels.mean(sums + count * zero, count) - zero, *limits)

        common, shape = self._common(operator, (source,)), self.shapes[source]
        requant = Requant.identity(shape.channels, 0, 1)
        if kernel == shape[:2]:
            self._accumulate(operator, GlobalPool(**common, requant=requant), rule, limits)
            return
        sizes = {name: window[name] for name in ("kernel", "stride", "padding")}
        self._accumulate(operator, AvgPool(**common, **sizes, requant=requant), rule, limits)

    def largest(self, operator: TfliteOperator) -> None:
        source, tensor = self._source(operator)
        self._same_scale(operator, tensor)
        if self._activated(operator) != self._limits(tensor):
            raise self._error(operator, "has a fused activation that changes its numbers")
        window = self._window(operator, source, (operator.options["FilterHeight"], operator.options["FilterWidth"]))
        sizes = {name: window[name] for name in ("kernel", "stride", "padding")}
        if Window.of(**sizes).may_be_empty:
            raise self._error(operator, f"its stride {sizes['stride']} is larger than its kernel, {sizes['kernel']}")
        self._append(MaxPool(**self._common(operator, (source,)), **sizes), operator.outputs[0])

    def _same_scale(self, operator: TfliteOperator, tensor: TfliteTensor) -> None:
        output = self.file.tensors[operator.outputs[0]]
        if (output.scale[:1], output.zero_point[:1]) != (tensor.scale, tensor.zero_point):
            raise self._error(operator, "its output has another scale or zero point than its input")

    def add(self, operator: TfliteOperator) -> None:
        (a, first), (b, second) = self._source(operator, 0), self._source(operator, 1)
        output = self.file.tensors[operator.outputs[0]]
        twice = 2 * max(float(first.scale[0]), float(second.scale[0]))
        numbers = [np.arange(low, high + 1) for low, high in (self._limits(first), self._limits(second))]
        scaled = [
            kernels.Multiplier.of(float(tensor.scale[0]) / twice).apply(own[None] << LEFT_SHIFT)[0]
            for tensor, own in zip((first, second), numbers, strict=True)
        ]
        last = kernels.Multiplier.of(twice / (float(1 << LEFT_SHIFT) * float(output.scale[0])))
        limits = self._activated(operator)
        results = np.clip(last.apply(scaled[0][:, None] + scaled[1]), *limits)
        steps = [float(tensor.scale[0]) / float(output.scale[0]) for tensor in (first, second)]
        common, channels = self._common(operator, (a, b)), self.shapes[a].channels
        found = added(numbers, results, steps, limits, common["dtype"])
        if found is None:
            raise self._error(operator, "its roundings cannot be had by two multiplications and a sum")
        left, right, total = found
        node = Add(
            **common, a=repeated(left, channels), b=repeated(right, channels), lo=limits[0], hi=limits[1],
            total=repeated(total, channels) if isinstance(total, Requant) else total,
        )  # fmt: skip
        self._append(node, operator.outputs[0])

    def reshape(self, operator: TfliteOperator) -> None:
        source, tensor = self._source(operator)
        output = self.file.tensors[operator.outputs[0]]
        if math.prod(output.shape) != math.prod(tensor.shape):
            raise self._error(operator, f"shape {output.shape} has other numbers than {tensor.shape}")
        self.node_of[operator.outputs[0]] = source

    def ending(self, operator: TfliteOperator) -> None:
        source, tensor = self._source(operator)
        output = self.file.tensors[operator.outputs[0]]
        if output.kind != "INT8" or self._zero(output) != -128 or float(output.scale[0]) != 1 / 256:
            raise self._error(operator, "its output must be INT8 of scale 1/256 and zero point -128")
        scale, beta = float(tensor.scale[0]), float(operator.options.get("Beta", 1.0))
        self.softmax, self.softmax_of = (lambda logits: kernels.softmax(logits, scale, beta)), tensor
        self.node_of[operator.outputs[0]] = source
        self.notes.append(f"{operator} ends the network and is left out, as it leaves the largest output the largest")


OPERATORS: dict[str, Callable[[_Importer, TfliteOperator], None]] = {
    "CONV_2D": _Importer.conv,
    "DEPTHWISE_CONV_2D": _Importer.conv,
    "FULLY_CONNECTED": _Importer.linear,
    "AVERAGE_POOL_2D": _Importer.average,
    "MAX_POOL_2D": _Importer.largest,
    "ADD": _Importer.add,
    "RESHAPE": _Importer.reshape,
    "SOFTMAX": _Importer.ending,
}
