"""The exact integers of a quantized network, in torch, and their way into the integer graph.

Everything is int64. Sums of products go through float convolutions, which are exact, in whatever order they add, as
long as no sum of absolute products reaches 2**24 in float32 or 2**53 in float64.
A layer whose accumulator could leave int64 once multiplied, well below that, is refused.
"""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from models.ir.dtype import DType, IntType
from models.ir.node import Node
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.input import Input
from models.ir.ops.linear import Linear
from models.ir.ops.max_pool import MaxPool
from models.ir.ops.requantize import Requantize
from models.ir.requant import BIAS_BITS, MAX_FRACTION, MAX_SHIFT, MULT_BITS, Requant
from models.plan import (
    AddLayer,
    AvgPoolLayer,
    ClipLayer,
    ClippedLayer,
    ConvLayer,
    GlobalPoolLayer,
    InputLayer,
    Layer,
    LinearLayer,
    MaxPoolLayer,
    WeightedLayer,
)
from models.quant.fake import nearest
from models.sparse import elementwise

ACCUMULATOR_LIMIT = 1 << (61 - MULT_BITS)
BIAS_LIMIT = 1 << 30
FLOAT32_LIMIT = 1 << 24
BIAS_ERROR = 2.0**-5
"""Steps of a layer's output by which the rounding of its biases may move it."""


class RangeError(ValueError):
    """A quantized layer whose numbers do not fit the integer graph; the message names layer, field and value."""


@dataclass(frozen=True, eq=False)
class Fixed:
    """Requantization: ``clip((((x << fraction) + bias) * mult + half) >> shift, lo, hi)``.

    ``bias`` and ``mult`` are int64 [c].
    """

    bias: Tensor
    mult: Tensor
    shift: int
    lo: int
    hi: int
    fraction: int = 0

    def apply(self, x: Tensor) -> Tensor:
        """``x`` int64 [n, c, h, w], requantized."""
        return _rounded(self._scaled(x), self.shift, self.lo, self.hi)

    def nearest(self, x: Tensor, dtype: DType) -> Tensor:
        """The values of ``dtype`` nearest to the requantized ``x``."""
        if isinstance(dtype, IntType):
            return nearest(self.apply(x), dtype)
        return rounded(_floor(self._scaled(x), self.shift - 1, 2 * self.lo, 2 * self.hi), dtype)

    def _scaled(self, x: Tensor) -> Tensor:
        of_sum, of_bias = self.mult << self.fraction, self.bias * self.mult
        return x * of_sum[:, None, None] + of_bias[:, None, None]

    def export(self) -> Requant:
        return Requant(self.bias.numpy(), self.mult.numpy(), self.shift, self.lo, self.hi, self.fraction)


@elementwise
def rounded(halves: Tensor, dtype: DType) -> Tensor:
    """The value of a tapered format nearest to int64 ``halves`` over two, which float32 holds."""
    return nearest(halves.float() / 2, dtype).long()


@elementwise
def _floor(scaled: Tensor, shift: int, lo: int, hi: int) -> Tensor:
    """``scaled`` over ``2**shift``, -1 and up, rounded down and clipped; written over."""
    scaled = scaled.bitwise_right_shift_(shift) if shift >= 0 else scaled.mul_(2)
    return scaled.clamp_(lo, hi)


@elementwise
def _rounded(scaled: Tensor, shift: int, lo: int, hi: int) -> Tensor:
    """``scaled`` over ``2**shift``, rounded half up and clipped; written over."""
    return scaled.add_((1 << shift) >> 1).bitwise_right_shift_(shift).clamp_(lo, hi)


def fixed_point(name: str, ratio: Tensor, bias: Tensor, lo: int, hi: int) -> Fixed:
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
    return Fixed(bias, mult, shift, lo, hi, fraction)


def bias_fraction(ratio: float, bias: float) -> int:
    """Bits after the point of biases of up to ``bias`` units, of which one is ``ratio`` steps of the output."""
    if not bias:
        return 0
    wanted = math.ceil(math.log2(ratio / 2 / BIAS_ERROR))
    fitting = BIAS_BITS - 2 - math.frexp(bias)[1]
    return max(0, min(wanted, fitting, MAX_FRACTION))


@dataclass(frozen=True, eq=False)
class IntegerLayer:
    """One layer with its integers: ``weight`` decoded, ``fixed`` one requantization an input that is requantized."""

    layer: Layer
    dtype: DType
    scale: float
    weight: Tensor | None = None
    weight_dtype: DType | None = None
    fixed: tuple[Fixed, ...] = ()
    lo: int = 0
    hi: int = 0
    largest: int = 0
    """Of a layer with weights, what no sum of absolute products exceeds."""

    def compute(self, *inputs: Tensor) -> Tensor:
        """int64 [n, c, h, w] from inputs of the same kind."""
        layer = self.layer
        if isinstance(layer, MaxPoolLayer):
            return layer.compute(inputs[0].double()).long()
        if isinstance(layer, AddLayer):
            a, b = (fixed.apply(x) for fixed, x in zip(self.fixed, inputs, strict=True))
            guard = self.dtype.guard_bits
            total = (a + b).clamp(self.lo << guard, self.hi << guard)
            return rounded(total, self.dtype) if guard else total
        return self.fixed[0].nearest(self._sum(inputs[0]), self.dtype)

    def _sum(self, x: Tensor) -> Tensor:
        layer = self.layer
        if isinstance(layer, WeightedLayer):
            assert self.weight is not None
            if self.largest < FLOAT32_LIMIT:
                return layer.weigh(x.float(), self.weight.float(), None).long()
            return layer.weigh(x.double(), self.weight.double(), None).long()
        if isinstance(layer, AvgPoolLayer):
            return F.avg_pool2d(x.double(), layer.kernel, layer.stride, layer.padding, divisor_override=1).long()
        if isinstance(layer, GlobalPoolLayer):
            return x.sum(dim=(2, 3), keepdim=True)
        return x

    def export(self) -> Node:
        """The graph node of this layer."""
        layer = self.layer
        common: dict[str, Any] = {"name": layer.name, "inputs": layer.inputs, "dtype": self.dtype, "scale": self.scale}
        if isinstance(layer, InputLayer):
            offset, unit = astuple(layer.normalization) if layer.normalization else ((), ())
            return Input(**common, shape=layer.shape, sparse=layer.sparse, offset=offset, unit=unit)
        if isinstance(layer, MaxPoolLayer):
            return MaxPool(**common, kernel=layer.kernel, stride=layer.stride, padding=layer.padding)
        if isinstance(layer, AddLayer):
            a, b = (fixed.export() for fixed in self.fixed)
            return Add(**common, a=a, b=b, lo=self.lo, hi=self.hi)
        requant = self.fixed[0].export()
        if isinstance(layer, AvgPoolLayer):
            window: dict[str, Any] = {"kernel": layer.kernel, "stride": layer.stride, "padding": layer.padding}
            return AvgPool(**common, **window, requant=requant)
        if isinstance(layer, GlobalPoolLayer):
            return GlobalPool(**common, requant=requant)
        if isinstance(layer, ClipLayer):
            return Requantize(**common, requant=requant)
        assert self.weight is not None
        assert self.weight_dtype is not None
        weights: dict[str, Any] = {"weight_dtype": self.weight_dtype, "requant": requant}
        if isinstance(layer, LinearLayer):
            return Linear(**common, **weights, weight=self.weight.permute(0, 2, 3, 1).contiguous().numpy())
        assert isinstance(layer, ConvLayer)
        return Conv(
            **common,
            **weights,
            weight=self.weight.numpy(),
            kernel=self.weight.shape[-1],
            stride=layer.stride,
            padding=layer.padding,
            depthwise=layer.depthwise,
        )


def bounds(clip: tuple[float, float], scale: float, dtype: DType) -> tuple[int, int]:
    """Decoded integers between which a layer's real ``clip`` leaves its output: those nearest to its ends.

    Of a tapered format they are values, as a whole number of steps could lie on the other side of a threshold.
    """
    ends = torch.tensor([max(clip[0] / scale, dtype.min), min(clip[1] / scale, dtype.max)], dtype=torch.float64)
    low, high = nearest(ends, dtype).long().tolist()
    return low, high


def integer_weighted(
    layer: WeightedLayer,
    weight: Tensor,
    bias: Tensor,
    weight_scale: Tensor,
    weight_dtype: DType,
    source: IntegerLayer,
    dtype: DType,
    scale: float,
) -> IntegerLayer:
    """A convolution or linear layer; ``weight_scale`` float64 [c_out], raised where the bias would not fit."""
    bias = bias.double()
    weight_scale = weight_scale.clamp(min=0).maximum(bias.abs() / (source.scale * BIAS_LIMIT))
    steps = weight.double() / weight_scale.view(-1, *[1] * (weight.dim() - 1))
    integers = nearest(steps, weight_dtype).long()
    accumulator = source.scale * weight_scale
    largest = int(integers.flatten(1).abs().sum(dim=1).max()) * max(source.dtype.max, -source.dtype.min)
    fixed = fixed_point(layer.name, accumulator / scale, bias / accumulator, *bounds(layer.clip, scale, dtype))
    if largest << fixed.fraction >= ACCUMULATOR_LIMIT:
        limit = ACCUMULATOR_LIMIT >> fixed.fraction
        raise RangeError(f"layer {layer.name!r}, accumulator: {largest} must stay below {limit}")
    return IntegerLayer(layer, dtype, scale, integers, weight_dtype, (fixed,), largest=largest)


def integer_unweighted(
    layer: ClippedLayer, sources: tuple[IntegerLayer, ...], dtype: DType, scale: float
) -> IntegerLayer:
    """A mean, add or activation; the mean's divisor goes into the multiplier, and the guard bits of an add."""
    divisor = 1.0
    if isinstance(layer, AvgPoolLayer):
        divisor = layer.kernel**2
    if isinstance(layer, GlobalPoolLayer):
        height, width, _ = sources[0].layer.shape
        divisor = height * width
    if isinstance(layer, AddLayer):
        divisor = 0.5**dtype.guard_bits
    lo, hi = bounds(layer.clip, scale, dtype)
    branches = []
    for source in sources:
        ratio = torch.full((layer.shape.channels,), source.scale / (divisor * scale), dtype=torch.float64)
        fixed = fixed_point(layer.name, ratio, torch.zeros_like(ratio), lo, hi)
        branches.append(_wide(fixed, source.dtype, dtype) if isinstance(layer, AddLayer) else fixed)
    return IntegerLayer(layer, dtype, scale, fixed=tuple(branches), lo=lo, hi=hi)


def _wide(branch: Fixed, source: DType, dtype: DType) -> Fixed:
    """A branch of an add, clipped two bits beyond the sum's format or to what its input can reach."""
    extent = 4 * (max(dtype.max, -dtype.min) + 1) << dtype.guard_bits
    ends = torch.tensor([source.min, source.max]).view(2, 1, 1, 1).expand(2, len(branch.mult), 1, 1)
    free = Fixed(branch.bias, branch.mult, branch.shift, -extent, extent - 1)
    reached = free.apply(ends)
    return Fixed(branch.bias, branch.mult, branch.shift, int(reached.min()), int(reached.max()))
