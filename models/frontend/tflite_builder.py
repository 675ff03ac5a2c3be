"""Builds a graph from what a TensorFlow Lite file holds, one operator at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from models.frontend.exact_rescaling import rescaling
from models.frontend.graph_builder import GraphBuilder
from models.frontend.tflite_file import TfliteError, TfliteFile, TfliteOperator, TfliteTensor
from models.ir.accumulator import AccumulatingNode
from models.ir.formats.integer import IntType
from models.ir.node import Node, Shape
from models.ir.ops.input import Input
from models.ir.requant import Range
from models.ir.window import missing_zeros

LIMITS = {"INT8": (-128, 127), "UINT8": (0, 255)}
"""Least and largest number of a quantized tensor, by its type."""
SAME = 0
ACTIVATIONS: dict[int, tuple[float, float]] = {
    0: (-math.inf, math.inf), 1: (0.0, math.inf), 2: (-1.0, 1.0), 3: (0.0, 6.0),
}  # fmt: skip
"""Real bounds of the activations that may be fused: none, ReLU, ReLU from -1 to 1, ReLU6."""


class Builder(GraphBuilder):
    """Builds a graph, one operator at a time.

    Parameters
        file    what a file holds
    """

    def __init__(self, file: TfliteFile) -> None:
        super().__init__()
        self.file = file
        self.node_of: dict[int, str] = {}
        self.softmax: Callable[[np.ndarray], np.ndarray] | None = None
        self.softmax_of: TfliteTensor | None = None

    def error(self, operator: TfliteOperator, why: str) -> TfliteError:
        return TfliteError(self.file.path, str(operator), why)

    def input(self, number: int) -> None:
        tensor = self.file.tensors[number]
        sides = tensor.shape[1:]
        if not 1 <= len(sides) <= 3 or tensor.shape[:1] not in {(1,), ()}:
            raise TfliteError(self.file.path, f"input {tensor.name!r}", f"shape {tensor.shape} must be 1 x H x W x C")
        shape = Shape(*(1,) * (3 - len(sides)), *sides)
        dtype, scale = self.format(tensor, f"input {tensor.name!r}")
        self.give(number, Input(name="input", shape=shape, dtype=dtype, scale=scale))

    def give(self, output: int, node: Node) -> None:
        """Append the node that computes a tensor."""
        self.node_of[output] = self.append(node)

    def node(self, number: int, operator: TfliteOperator) -> str:
        if number not in self.node_of:
            raise self.error(operator, f"takes tensor {number}, which nothing before it computes")
        return self.node_of[number]

    def zero(self, tensor: TfliteTensor) -> int:
        return int(tensor.zero_point[0])

    def limits(self, tensor: TfliteTensor) -> Range:
        low, high = LIMITS[tensor.kind]
        return low - self.zero(tensor), high - self.zero(tensor)

    def format(self, tensor: TfliteTensor, where: str) -> tuple[IntType, float]:
        """The format and the scale of a quantized tensor's numbers less their zero point."""
        if tensor.kind not in LIMITS or len(tensor.scale) != 1:
            why = f"is of {tensor.kind} with {len(tensor.scale)} scales; must be INT8 or UINT8 with one"
            raise TfliteError(self.file.path, where, why)
        low, high = LIMITS[tensor.kind]
        if not low <= self.zero(tensor) <= high:
            raise TfliteError(self.file.path, where, f"has zero point {self.zero(tensor)}; must be {low} to {high}")
        low, high = self.limits(tensor)
        return IntType.narrowest(low, high), float(tensor.scale[0])

    def source(self, operator: TfliteOperator, place: int = 0) -> tuple[str, TfliteTensor]:
        tensor = self.file.tensors[operator.inputs[place]]
        self.format(tensor, f"{operator}, input {place}")
        return self.node(operator.inputs[place], operator), tensor

    def common(self, operator: TfliteOperator, inputs: tuple[str, ...]) -> dict[str, Any]:
        dtype, scale = self.format(self.file.tensors[operator.outputs[0]], f"{operator}, output")
        return {"name": f"{operator.kind.lower()}_{operator.number}", "inputs": inputs, "dtype": dtype, "scale": scale}

    def activated(self, operator: TfliteOperator) -> Range:
        """The lowest and the highest number that the fused activation leaves, less the zero point."""
        tensor = self.file.tensors[operator.outputs[0]]
        low, high = self.limits(tensor)
        kind = operator.options.get("FusedActivationFunction", 0)
        if kind not in ACTIVATIONS:
            raise self.error(operator, f"its fused activation {kind} is not supported")
        first, last = (bound / float(tensor.scale[0]) for bound in ACTIVATIONS[kind])
        low = low if first == -math.inf else max(low, math.floor(first + 0.5))
        high = high if last == math.inf else min(high, math.floor(last + 0.5))
        if low > high:
            raise self.error(operator, "its fused activation leaves no number")
        return low, high

    def weights(self, operator: TfliteOperator, axis: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights less their zero points, their float32 scales by output channel, and the biases."""
        tensor = self.file.tensors[operator.inputs[1]]
        if tensor.data is None or tensor.kind not in LIMITS or not len(tensor.scale):
            raise self.error(operator, f"its weights are {tensor.kind}; must be constants of INT8 or UINT8 with scales")
        channels = tensor.shape[axis]
        if len(tensor.scale) not in {1, channels}:
            raise self.error(operator, f"its weights have {len(tensor.scale)} scales; must have 1 or {channels}")
        zeros = tensor.zero_point.reshape(
            [-1 if side == axis % len(tensor.shape) else 1 for side in range(len(tensor.shape))]
        )
        weights = tensor.data.astype(np.int64) - zeros
        if weights.size and not (weights.min() >= -128 and weights.max() <= 127):
            raise self.error(operator, "its weights less their zero points need more than 8 bits")
        bias = np.zeros(channels, np.int64)
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            data = self.file.tensors[operator.inputs[2]].data
            if data is None or data.shape != (channels,) or data.dtype != np.int32:
                raise self.error(operator, f"its biases must be {channels} constants of INT32")
            bias = data.astype(np.int64)
        return weights, np.broadcast_to(tensor.scale, (channels,)), bias

    def accumulate(
        self, operator: TfliteOperator, node: Any, rule: Callable[[np.ndarray], np.ndarray], limits: Range
    ) -> None:
        """Append a node whose sums become numbers by a rule of ``[channels, n]`` sums."""
        shape = self.shapes[node.inputs[0]]
        node.check_weight(shape)
        ranges = node.ranges(self.dtype(node.inputs[0]), shape)
        self.give(operator.outputs[0], replace(node, requant=rescaling(rule, node.dtype, ranges, limits)))

    def window(self, operator: TfliteOperator, source: str, kernel: tuple[int, int]) -> dict[str, Any]:
        """Kernel, stride, dilation and padding, as TensorFlow pads."""
        options, shape = operator.options, self.shapes[source]
        stride = options["StrideH"], options["StrideW"]
        dilation = options.get("DilationHFactor", 1), options.get("DilationWFactor", 1)
        padding = (0, 0, 0, 0)
        if min(stride) < 1 or min(dilation) < 1:
            raise self.error(operator, f"stride {stride} and dilation {dilation} must be 1 or more")
        if options["Padding"] == SAME:
            ends = []
            for side, taps, step, apart in zip(shape[:2], kernel, stride, dilation, strict=True):
                missing = missing_zeros(side, taps, step, apart)
                ends.append((missing // 2, missing - missing // 2))
            padding = (ends[0][0], ends[1][0], ends[0][1], ends[1][1])
        return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}

    def scaled_sums(
        self,
        operator: TfliteOperator,
        node: AccumulatingNode,
        scaled: Callable[[np.ndarray], np.ndarray],
        bias: np.ndarray,
    ) -> None:
        """Append a node whose sums ``[channels, n]`` are scaled as its kernel does it."""
        limits = self.activated(operator)

        def rule(sums: np.ndarray) -> np.ndarray:
            return np.clip(scaled(sums + bias[:, None]), *limits)

        self.accumulate(operator, node, rule, limits)

    def same_scale(self, operator: TfliteOperator, tensor: TfliteTensor) -> None:
        output = self.file.tensors[operator.outputs[0]]
        if (output.scale[:1], output.zero_point[:1]) != (tensor.scale, tensor.zero_point):
            raise self.error(operator, "its output has another scale or zero point than its input")
