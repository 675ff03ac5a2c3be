"""Nodes of an ONNX file that make integers of real numbers: by ``qonnx``, by QuantizeLinear, by thresholds."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.frontend.onnx_file import OnnxNode
from models.frontend.onnx_functions import bias_step, constant_of, function_of
from models.frontend.onnx_sources import (
    SAMPLES,
    Constant,
    InputSource,
    NodeSource,
    Numbers,
    RealTensor,
    SumSource,
)
from models.frontend.onnx_tensors import Tensors
from models.ir.formats.integer import IntType
from models.ir.requant import Range

SINGLE = 2.0**-23
"""By what part of the largest sum one of real numbers in single precision may be off."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The integers that a quantizer makes.

    Parameters
        limits    lowest and highest of them
        step      float64 ``[1 or channels]``: real value of one
        zero      what the node's own integers have more
        whole     whether the node gives its own integers, not real numbers
    """

    limits: Range
    step: np.ndarray
    zero: int = 0
    whole: bool = False


def quantize(tensors: Tensors, node: OnnxNode) -> None:
    """Make a node of the graph give the integers of a quantizer."""
    value = tensors.value(node, 0)
    for place in range(1, len(node.inputs)):
        tensors.constant(node, place)
    if isinstance(value, Constant):
        tensors.put(node, _quantized_constant(tensors, node))
        return
    tensor = tensors.tensor(node)
    channels = tensor.source.shape.channels
    function = function_of(tensors.file, node, 0, tensor.index, channels)
    grid = GRIDS[node.kind](tensors, node, channels)
    if isinstance(tensor.source, InputSource):
        if len(set(grid.step.tolist())) > 1:
            raise tensors.error(node, "its scales differ between channels of the input; must be one")
        numbers = Numbers(IntType.narrowest(*grid.limits), grid.limits, float(grid.step[0]))
        tensors.head = node.outputs[0]
        tensors.put(node, tensor.finished(tensor.source.finish(numbers), grid.step, grid.zero))
        return
    _check_pools(tensors, node, tensor)

    def rule(integers: np.ndarray, off: float = 0.0) -> np.ndarray:
        found = function(tensor.real(integers, off)).astype(np.float64)
        return np.rint(found - grid.zero if grid.whole else found / grid.step[:, None]).astype(np.int64)

    own, nearby = _by_one_multiplication(tensors, node, tensor, grid), ()
    if own is None:
        own = rule
        if not isinstance(tensor.source, NodeSource) and not _exact(tensor):
            nearby = tuple(functools.partial(rule, off=off) for off in (-SINGLE, SINGLE))
    numbers = Numbers(IntType.narrowest(*grid.limits), grid.limits, float(grid.step[0]), own, nearby, str(node))
    try:
        name = tensor.source.finish(numbers)
    except ValueError as error:
        raise tensors.error(node, str(error)) from error
    tensors.put(node, tensor.finished(name, grid.step, grid.zero))


def dequantize(tensors: Tensors, node: OnnxNode) -> None:
    """DequantizeLinear: the same integers, as real numbers."""
    scale = tensors.constant(node, 1)
    zero = tensors.constant(node, 2)
    assert scale is not None
    value = tensors.value(node, 0)
    if isinstance(value, Constant):
        axis = node.attributes.get("axis", 1)
        shape = [
            -1 if scale.size > 1 and side == axis % value.numbers.ndim else 1 for side in range(value.numbers.ndim)
        ]
        integers = value.numbers.astype(np.int64)
        if zero is not None:
            integers = integers - zero.astype(np.int64).reshape(shape if zero.size > 1 else [1] * len(shape))
        step = scale.astype(np.float64).reshape(shape if scale.size > 1 else [1] * len(shape))
        tensors.put(node, Constant((integers * step.astype(np.float32)).astype(np.float32), integers, step))
        return
    tensor = tensors.tensor(node)
    if scale.size > 1 or (zero is not None and zero.size > 1):
        raise tensors.error(node, "has a scale for each channel; of what the network computes it must have one")
    own = int(zero.reshape(-1)[0]) if zero is not None else 0
    step = scale.astype(np.float64).reshape(1)
    tensors.put(node, RealTensor(tensor.source, tensor.index, step, step * (tensor.zero - own)))


def _quantized_constant(tensors: Tensors, node: OnnxNode) -> Constant:
    """A quantizer of a constant: its integers with their step."""
    numbers = constant_of(tensors.file, node)
    if node.kind not in {"Quant", "BipolarQuant"}:
        return Constant(numbers)
    step = np.asarray(tensors.constant(node, 1), np.float64)
    integers = np.rint(numbers / step).astype(np.int64)
    return Constant(numbers, integers, step)


def _steps(tensors: Tensors, node: OnnxNode, place: int, channels: int) -> np.ndarray:
    scale = tensors.constant(node, place)
    assert scale is not None
    step = scale.astype(np.float64).reshape(-1)
    if not (step > 0).all() or len(step) not in {1, channels}:
        raise tensors.error(node, f"its scales {scale.tolist()} must be one, or one a channel, above 0")
    return step


def _quant(tensors: Tensors, node: OnnxNode, channels: int) -> Grid:
    from qonnx.custom_op.general.quant import max_int, min_int

    zero, bits = tensors.scalar(node, 2, 0.0), tensors.scalar(node, 3, 8.0)
    signed, narrow = bool(node.attributes.get("signed", 1)), bool(node.attributes.get("narrow", 0))
    if bits != int(bits) or not 1 <= bits <= 16 or zero != int(zero):
        raise tensors.error(node, f"bit width {bits:g} must be 1 to 16, and zero point {zero:g} an integer")
    step = _steps(tensors, node, 1, channels)
    if bits == 1 and signed:
        return Grid((-1, 1), step)
    low, high = (int(end(signed, narrow, int(bits))) - int(zero) for end in (min_int, max_int))
    return Grid((low, high), step)


def _bipolar(tensors: Tensors, node: OnnxNode, channels: int) -> Grid:
    return Grid((-1, 1), _steps(tensors, node, 1, channels))


def _thresholds(tensors: Tensors, node: OnnxNode, channels: int) -> Grid:
    levels = tensors.constant(node, 1)
    assert levels is not None
    scale, bias = float(node.attributes.get("out_scale", 1.0)), float(node.attributes.get("out_bias", 0.0))
    step = bias_step(scale, bias) if scale > 0 else 0.0
    if levels.ndim != 2 or not step:
        raise tensors.error(node, f"out_scale {scale} and out_bias {bias} must be multiples of one step above 0")
    return Grid((round(bias / step), round((bias + scale * levels.shape[1]) / step)), np.array([step]))


def _trunc(tensors: Tensors, node: OnnxNode, channels: int) -> Grid:
    second = len(node.inputs) > 5
    bits = int(tensors.scalar(node, 5 if second else 4, 8.0))
    zero = tensors.scalar(node, 2, 0.0)
    if zero:
        raise tensors.error(node, f"zero point {zero:g} must be 0")
    signed = node.attributes.get("signed", 1)
    # the first version does not say whether it is signed
    limits = (-(1 << bits), (1 << bits) - 1) if not second else (-(1 << bits - 1), (1 << bits - 1) - 1)
    return Grid(limits if signed else (0, (1 << bits) - 1), _steps(tensors, node, 4 if second else 1, channels))


def _linear(tensors: Tensors, node: OnnxNode, channels: int) -> Grid:
    zero = tensors.constant(node, 2)
    kind = np.dtype(np.uint8) if zero is None else zero.dtype
    if kind not in (np.dtype(np.int8), np.dtype(np.uint8), np.dtype(np.int16), np.dtype(np.uint16)):
        raise tensors.error(node, f"its zero point is {kind}; must be int8, uint8, int16 or uint16")
    if zero is not None and zero.size > 1:
        raise tensors.error(node, "has a zero point for each channel; must have one")
    own = int(zero.reshape(-1)[0]) if zero is not None else 0
    limits = np.iinfo(kind)
    return Grid((int(limits.min) - own, int(limits.max) - own), _steps(tensors, node, 1, channels), own, whole=True)


GRIDS: dict[str, Callable[[Tensors, OnnxNode, int], Grid]] = {
    "Quant": _quant,
    "IntQuant": _quant,
    "BipolarQuant": _bipolar,
    "MultiThreshold": _thresholds,
    "Trunc": _trunc,
    "QuantizeLinear": _linear,
}


def _by_one_multiplication(
    tensors: Tensors, node: OnnxNode, tensor: RealTensor, grid: Grid
) -> Callable[[np.ndarray], np.ndarray] | None:
    """How ONNX Runtime computes sums of integers between DequantizeLinear and QuantizeLinear, which it joins to one
    node: the sum with its bias, as float32, times one float32, rounded to even."""
    if node.kind != "QuantizeLinear" or tensor.biased is None or not isinstance(tensor.source, SumSource):
        return None
    scale = tensors.constant(node, 1)
    assert scale is not None
    ends = np.float32(np.array([grid.limits]) * float(scale.reshape(-1)[0]))
    channels = tensor.source.shape.channels
    for _, function in tensor.functions:
        if (function(np.tile(ends, (channels, 1))) != ends).any():
            return None
    mult = tensor.step.astype(np.float32) / scale.astype(np.float32).reshape(-1)
    biased = tensor.biased

    def rule(sums: np.ndarray) -> np.ndarray:
        found = (sums + biased[:, None]).astype(np.float32) * mult[:, None]
        return np.rint(np.clip(found, *grid.limits)).astype(np.int64)

    return rule


def _exact(tensor: RealTensor) -> bool:
    """Whether single precision adds without an error: whole multiples of one power of two."""
    mantissas = np.frexp(tensor.step)[0]
    return (mantissas == 0.5).all() and len(set(tensor.step.tolist())) == 1 and not tensor.offset.any()


def _check_pools(tensors: Tensors, node: OnnxNode, tensor: RealTensor) -> None:
    """Raise an OnnxError where a function after a pooling falls: the largest number is no longer the largest then."""
    if not tensor.pooled:
        return
    before = RealTensor(tensor.source, tensor.index, tensor.step, tensor.offset, tensor.functions[: tensor.pooled - 1])
    lows, highs = (np.array(ends, np.int64) for ends in zip(*tensor.source.ranges, strict=True))
    sums = np.linspace(lows, highs, SAMPLES).round().astype(np.int64).T
    order = np.argsort(before.real(sums), axis=1, kind="stable")
    if (np.diff(np.take_along_axis(tensor.real(sums), order, axis=1), axis=1) < 0).any():
        raise tensors.error(node, "what comes between a pooling and it falls somewhere; quantize before the pooling")
