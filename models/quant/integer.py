"""The exact integers of a quantized network in torch, and their export to the integer graph.

Everything is int64. Float convolutions compute the sums of products; they are exact in any order of addition as long
as the sum of absolute products stays below 2**24 in float32 or 2**53 in float64. A layer whose accumulator could exceed
int64 after the multiplication is refused; that limit is well below 2**53.
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
"""Error that the rounding of a bias may cause, in steps of the layer's output."""


class RangeError(ValueError):
    """A quantized layer whose numbers do not fit the integer graph; the message names layer, field and value."""


def fixed_point(name: str, ratio: Tensor, bias: Tensor, lo: int, hi: int) -> RequantParams:
    """Integers for real factors and biases.

    The largest multiplier has 16 bits, or 15. The fraction bits of the biases follow from ``BIAS_ERROR``.

    Parameters
        name       name of the layer, for messages
        ratio      factors [c], above 0
        bias       biases [c], in units of the accumulator
        lo, hi     integer bounds of the output
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
    """Fraction bits of biases.

    Parameters
        ratio     steps of the output per unit of the accumulator
        bias      largest magnitude of a bias, in units of the accumulator
    """
    if not bias:
        return 0
    needed = math.ceil(math.log2(ratio / 2 / BIAS_ERROR))
    available = BIAS_BITS - 2 - math.frexp(bias)[1]
    return max(0, min(needed, available, MAX_FRACTION))


@dataclass(frozen=True, eq=False)
class IntegerLayer:
    """A quantized layer: the layer and its integers.

    Parameters
        layer        float layer
        integers     its integers
    """

    layer: Layer
    integers: Integers

    def compute(self, *inputs: Tensor) -> Tensor:
        """The integer output, int64 [n, c, h, w], of integer inputs."""
        return self.layer.integer(self.integers, *inputs)

    def export(self) -> Node:
        """The graph node of this layer."""
        return self.layer.node(self.integers)


def bounds(clip: tuple[float, float], scale: float, dtype: DType) -> tuple[int, int]:
    """The decoded integers nearest to the ends of a real ``clip``.

    In a tapered format they are values of the format, as an integer between two values could be rounded past the clip.

    Parameters
        clip      real bounds
        scale     real value of one step
        dtype     format of the output
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
    """Quantize a convolution or linear layer.

    Parameters
        layer            float layer
        weight           its weights
        bias             its biases [c_out]
        weight_scale     float64 [c_out], raised where a bias would not fit
        weight_dtype     format of the weights
        source           integers of the input's layer
        dtype            format of the output
        scale            real value of one step of the output
    """
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


def integer_table(layer: ClippedLayer, source: Integers, dtype: DType, scale: float) -> IntegerLayer:
    """Quantize a layer whose integers are a table.

    Parameters
        layer      float layer
        source     integers of the input's layer
        dtype      format of the output
        scale      real value of one step of the output
    """
    values = torch.from_numpy(source.dtype.values()).double() * source.scale
    results = layer.results(values).clamp(*layer.clip) / scale
    table = nearest_value(results, dtype).long()
    return IntegerLayer(layer, Integers(dtype=dtype, scale=scale, source=source.dtype, table=table))


def integer_unweighted(
    layer: ClippedLayer, sources: tuple[IntegerLayer, ...], dtype: DType, scale: float
) -> IntegerLayer:
    """Quantize a layer without weights. Its multipliers include the divisor of a mean and the guard bits of an add.

    Parameters
        layer       float layer
        sources     layers of its inputs
        dtype       format of the output
        scale       real value of one step of the output
    """
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
