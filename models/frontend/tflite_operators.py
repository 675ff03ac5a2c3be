"""What each operator of TensorFlow Lite becomes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from models.frontend import tflite_kernels as kernels
from models.frontend.exact_rescaling import added, repeated
from models.frontend.tflite_builder import Builder
from models.frontend.tflite_file import TfliteOperator
from models.ir.formats.integer import IntType
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.linear import Linear
from models.ir.ops.max_pool import MaxPool
from models.ir.requant import Requant
from models.ir.window import Window

LEFT_SHIFT = 20
"""Bits by which the kernel of an add shifts its inputs to the left."""


def conv(build: Builder, operator: TfliteOperator) -> None:
    """A full, pointwise or depthwise convolution."""
    source, tensor = build.source(operator)
    depthwise = operator.kind == "DEPTHWISE_CONV_2D"
    weights, scales, bias = build.weights(operator, 3 if depthwise else 0)
    if weights.ndim != 4:
        raise build.error(operator, f"its weights have shape {weights.shape}; must have 4 sides")
    weights = weights.transpose(3, 0, 1, 2) if depthwise else weights.transpose(0, 3, 1, 2)
    channels = build.shapes[source].channels
    node = Conv(
        **build.common(operator, (source,)),
        **build.window(operator, source, (weights.shape[2], weights.shape[3])),
        groups=channels if depthwise else channels // max(1, weights.shape[1]),
        weight=np.ascontiguousarray(weights),
        weight_dtype=IntType(8),
        requant=Requant.identity(len(weights), 0, 1),
    )
    output = float(build.file.tensors[operator.outputs[0]].scale[0])
    # the kernels of convolution multiply scales in double precision
    factors = float(tensor.scale[0]) * scales.astype(np.float64) / output
    build.scaled_sums(operator, node, kernels.KernelMultiplier.of(factors).apply, bias)


def linear(build: Builder, operator: TfliteOperator) -> None:
    """A linear layer."""
    source, tensor = build.source(operator)
    weights, scales, bias = build.weights(operator, 0)
    shape = build.shapes[source]
    if operator.options.get("WeightsFormat", 0) or weights.ndim != 2:
        raise build.error(operator, f"its weights of shape {weights.shape} must be [outputs, inputs], unshuffled")
    if weights.shape[1] != math.prod(shape):
        raise build.error(operator, f"has weights for {weights.shape[1]} inputs; its input is {shape}")
    node = Linear(
        **build.common(operator, (source,)),
        weight=weights.reshape(len(weights), *shape),
        weight_dtype=IntType(8),
        requant=Requant.identity(len(weights), 0, 1),
    )
    output = float(build.file.tensors[operator.outputs[0]].scale[0])
    # those of a linear layer in single precision, unless each output has a scale of its own
    alike = len(build.file.tensors[operator.inputs[1]].scale) == 1
    products = (
        (tensor.scale[0] * scales).astype(np.float64) if alike else float(tensor.scale[0]) * scales.astype(np.float64)
    )
    multiplier = kernels.KernelMultiplier.of(products.astype(np.float64) / output)
    build.scaled_sums(operator, node, multiplier.apply_once, bias)


def average(build: Builder, operator: TfliteOperator) -> None:
    """A mean over windows, or over the whole frame."""
    source, tensor = build.source(operator)
    kernel = operator.options["FilterHeight"], operator.options["FilterWidth"]
    build.same_scale(operator, tensor)
    window = build.window(operator, source, kernel)
    zero, count, limits = build.zero(tensor), math.prod(kernel), build.activated(operator)
    if any(window["padding"]):
        raise build.error(operator, "pads; a mean over fewer numbers at the border is not supported")

    def rule(sums: np.ndarray) -> np.ndarray:
        return np.clip(kernels.mean(sums + count * zero, count) - zero, *limits)

    common, shape = build.common(operator, (source,)), build.shapes[source]
    requant = Requant.identity(shape.channels, 0, 1)
    if kernel == shape[:2]:
        build.accumulate(operator, GlobalPool(**common, requant=requant), rule, limits)
        return
    sizes = {name: window[name] for name in ("kernel", "stride", "padding")}
    build.accumulate(operator, AvgPool(**common, **sizes, requant=requant), rule, limits)


def largest(build: Builder, operator: TfliteOperator) -> None:
    """The largest of each window."""
    source, tensor = build.source(operator)
    build.same_scale(operator, tensor)
    if build.activated(operator) != build.limits(tensor):
        raise build.error(operator, "has a fused activation that changes its numbers")
    window = build.window(operator, source, (operator.options["FilterHeight"], operator.options["FilterWidth"]))
    sizes = {name: window[name] for name in ("kernel", "stride", "padding")}
    if Window.of(**sizes).may_be_empty:
        raise build.error(operator, f"its stride {sizes['stride']} is larger than its kernel, {sizes['kernel']}")
    build.give(operator.outputs[0], MaxPool(**build.common(operator, (source,)), **sizes))


def add(build: Builder, operator: TfliteOperator) -> None:
    """A sum of two inputs of any scales."""
    (a, first), (b, second) = build.source(operator, 0), build.source(operator, 1)
    output = build.file.tensors[operator.outputs[0]]
    twice = 2 * max(float(first.scale[0]), float(second.scale[0]))
    numbers = [np.arange(low, high + 1) for low, high in (build.limits(first), build.limits(second))]
    scaled = [
        kernels.KernelMultiplier.of(float(tensor.scale[0]) / twice).apply(own[None] << LEFT_SHIFT)[0]
        for tensor, own in zip((first, second), numbers, strict=True)
    ]
    last = kernels.KernelMultiplier.of(twice / (float(1 << LEFT_SHIFT) * float(output.scale[0])))
    limits = build.activated(operator)
    results = np.clip(last.apply(scaled[0][:, None] + scaled[1]), *limits)
    steps = [float(tensor.scale[0]) / float(output.scale[0]) for tensor in (first, second)]
    common, channels = build.common(operator, (a, b)), build.shapes[a].channels
    found = added(numbers, results, steps, limits, common["dtype"])
    if found is None:
        raise build.error(operator, "its roundings cannot be had by two multiplications and a sum")
    left, right, total = found
    node = Add(
        **common, a=repeated(left, channels), b=repeated(right, channels), lo=limits[0], hi=limits[1],
        total=repeated(total, channels) if isinstance(total, Requant) else total,
    )  # fmt: skip
    build.give(operator.outputs[0], node)


def reshape(build: Builder, operator: TfliteOperator) -> None:
    """Another shape of the same numbers: it becomes no node."""
    source, tensor = build.source(operator)
    output = build.file.tensors[operator.outputs[0]]
    if math.prod(output.shape) != math.prod(tensor.shape):
        raise build.error(operator, f"shape {output.shape} has other numbers than {tensor.shape}")
    build.node_of[operator.outputs[0]] = source


def ending(build: Builder, operator: TfliteOperator) -> None:
    """A softmax at the end, which becomes no node."""
    source, tensor = build.source(operator)
    output = build.file.tensors[operator.outputs[0]]
    if output.kind != "INT8" or build.zero(output) != -128 or float(output.scale[0]) != 1 / 256:
        raise build.error(operator, "its output must be INT8 of scale 1/256 and zero point -128")
    scale, beta = float(tensor.scale[0]), float(operator.options.get("Beta", 1.0))
    build.softmax, build.softmax_of = (lambda logits: kernels.softmax(logits, scale, beta)), tensor
    build.node_of[operator.outputs[0]] = source
    build.notes.append(f"{operator} ends the network and is left out, as it leaves the largest output the largest")


OPERATORS: dict[str, Callable[[Builder, TfliteOperator], None]] = {
    "CONV_2D": conv,
    "DEPTHWISE_CONV_2D": conv,
    "FULLY_CONNECTED": linear,
    "AVERAGE_POOL_2D": average,
    "MAX_POOL_2D": largest,
    "ADD": add,
    "RESHAPE": reshape,
    "SOFTMAX": ending,
}
