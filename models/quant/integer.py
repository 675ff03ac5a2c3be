"""The exact integers of a quantized network, in torch, and their way into the integer graph.

Everything is int64. Sums of products go through float convolutions, which are exact, in whatever order they add, as
long as no sum of absolute products reaches 2**24 in float32 or 2**53 in float64.
A layer whose accumulator could leave int64 once multiplied, well below that, is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models.ir.dtype import DType
from models.ir.node import Node
from models.ir.requant import BIAS_BITS, MAX_FRACTION, MAX_SHIFT, MULT_BITS
from models.layers.integers import Integers, RequantParams
from models.layers.layer import ClippedLayer, Layer, WeightedLayer
from models.rounding import nearest_value

ACCUMULATOR_LIMIT = 1 << (61 - MULT_BITS)
BIAS_LIMIT = 1 << 30
BIAS_ERROR = 2.0**-5
"""Steps of a layer's output by which the rounding of its biases may move it."""


class RangeError(ValueError):
    """A quantized layer whose numbers do not fit the integer graph; the message names layer, field and value."""


def fixed_point(name: str, ratio: Tensor, bias: Tensor, lo: int, hi: int) -> RequantParams:
    """Integers for real factors ``ratio`` [c] > 0 and biases [c] in units of the accumulator.

    The largest multiplier takes 16 bits, or 15; biases have the fraction that ``BIAS_ERROR`` asks for.
    """
    fraction = bias_fraction(float(ratio.max()), float(bias.abs().max()))
    ratio, bias = ratio * 0.5**fraction, (bias.double() * 2.0**fraction).round().long()
    largest = float(ratio.max())
    limit = (1 << MULT_BITS) - 1
    shift = MULT_BITS - math.frexp(largest)[1]
    if round(largest * 2.0**shift) > limit:
        shift -= 1
    if shift < 0:
        raise RangeError(f"layer {name!r}, requantize factor: {largest:.4g} must be below {limit}")
    shift = min(shift, MAX_SHIFT)
    mult = (ratio.double() * 2.0**shift).round().long()
    return RequantParams(bias, mult, shift, lo, hi, fraction)


def bias_fraction(ratio: float, bias: float) -> int:
    """Bits after the point of biases of up to ``bias`` units, of which one is ``ratio`` steps of the output."""
    if not bias:
        return 0
    wanted = math.ceil(math.log2(ratio / 2 / BIAS_ERROR))
    fitting = BIAS_BITS - 2 - math.frexp(bias)[1]
    return max(0, min(wanted, fitting, MAX_FRACTION))


@dataclass(frozen=True, eq=False)
class IntegerLayer:
    """One layer with its integers."""

    layer: Layer
    integers: Integers

    def compute(self, *inputs: Tensor) -> Tensor:
        """int64 [n, c, h, w] from inputs of the same kind."""
        return self.layer.integer(self.integers, *inputs)

    def export(self) -> Node:
        """The graph node of this layer."""
        return self.layer.node(self.integers)


def bounds(clip: tuple[float, float], scale: float, dtype: DType) -> tuple[int, int]:
    """Decoded integers between which a layer's real ``clip`` leaves its output: those nearest to its ends.

    Of a tapered format they are values, as a whole number of steps could lie on the other side of a threshold.
    """
    ends = torch.tensor([max(clip[0] / scale, dtype.min), min(clip[1] / scale, dtype.max)], dtype=torch.float64)
    low, high = nearest_value(ends, dtype).long().tolist()
    return low, high


def integer_weighted(
    layer: WeightedLayer,
    weight: Tensor,
    bias: Tensor,
    weight_scale: Tensor,
    weight_dtype: DType,
    source: Integers,
    dtype: DType,
    scale: float,
) -> IntegerLayer:
    """A convolution or linear layer; ``weight_scale`` float64 [c_out], raised where the bias would not fit."""
    bias = bias.double()
    weight_scale = weight_scale.clamp(min=0).maximum(bias.abs() / (source.scale * BIAS_LIMIT))
    steps = weight.double() / weight_scale.view(-1, *[1] * (weight.dim() - 1))
    integers = nearest_value(steps, weight_dtype).long()
    accumulator = source.scale * weight_scale
    largest = int(integers.flatten(1).abs().sum(dim=1).max()) * max(source.dtype.max, -source.dtype.min)
    fixed = fixed_point(layer.name, accumulator / scale, bias / accumulator, *bounds(layer.clip, scale, dtype))
    if largest << fixed.fraction >= ACCUMULATOR_LIMIT:
        limit = ACCUMULATOR_LIMIT >> fixed.fraction
        raise RangeError(f"layer {layer.name!r}, accumulator: {largest} must stay below {limit}")
    own = Integers(
        dtype=dtype, scale=scale, weight=integers, weight_dtype=weight_dtype, requants=(fixed,), largest=largest
    )
    return IntegerLayer(layer, own)


def integer_unweighted(
    layer: ClippedLayer, sources: tuple[IntegerLayer, ...], dtype: DType, scale: float
) -> IntegerLayer:
    """A layer without weights; the divisor of a mean goes into the multiplier, and the guard bits of an add."""
    lo, hi = bounds(layer.clip, scale, dtype)
    branches = []
    for group in [sources] if layer.stacks_inputs else [(source,) for source in sources]:
        ratios = []
        for source in group:
            shape = source.layer.shape
            factor = source.integers.scale / (layer.divisor(shape, dtype) * scale)
            ratios.append(torch.full((shape.channels,), factor, dtype=torch.float64))
        ratio = torch.cat(ratios)
        requant = fixed_point(layer.name, ratio, torch.zeros_like(ratio), lo, hi)
        branches.append(layer.branch(requant, group[0].integers.dtype, dtype))
    return IntegerLayer(layer, Integers(dtype=dtype, scale=scale, requants=tuple(branches), lo=lo, hi=hi))
