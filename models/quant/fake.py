"""Fake quantization: float in, float on the grid of a format out, gradients straight through."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from models.ir.dtype import DType, DyBitType
from models.sparse import elementwise


@dataclass(frozen=True)
class _Buckets:
    """The nearest magnitude by the leading bits of a float: exponent, and as much of the mantissa as tells ties apart.

    Every midpoint of two neighbours has at most ``magnitude_bits`` significant bits, so all floats that begin with
    the same bits have the same nearest magnitude: a look-up in place of a search. ``first``: the leading bits of 1/2,
    the least that is not rounded to zero.
    """

    bits: torch.dtype
    shift: int
    first: int
    values: Tensor

    def of(self, wanted: Tensor) -> Tensor:
        """``wanted`` has no gaps in memory, and is written over; what is negative counts as zero."""
        # the sign bit makes the bits of a negative float a negative integer
        bucket = wanted.view(self.bits).bitwise_right_shift_(self.shift)
        bucket = bucket.sub_(self.first - 1).clamp_(0, len(self.values) - 1)
        # looked up in the order in which they lie in memory, whatever it is
        found = self.values.index_select(0, bucket.as_strided((bucket.numel(),), (1,)))
        return found.as_strided(wanted.shape, wanted.stride())


@functools.cache
def _buckets(dtype: DyBitType, kind: torch.dtype) -> _Buckets:
    bits, mantissa = {torch.float32: (torch.int32, 23), torch.float64: (torch.int64, 52)}[kind]
    shift = mantissa - (dtype.magnitude_bits - 1)
    first, last = (int(torch.tensor(end, dtype=kind).view(bits)) >> shift for end in (0.5, float(dtype.max)))
    # twice each bucket's least value against the sums of two neighbours: the upper one wins the tie
    doubled = 2 * (torch.arange(first, last + 1, dtype=bits) << shift).view(kind)
    magnitudes = torch.tensor(dtype.magnitudes.tolist(), dtype=kind)
    values = magnitudes[torch.bucketize(doubled, magnitudes[:-1] + magnitudes[1:], right=True)]
    return _Buckets(bits, shift, first, torch.cat([magnitudes[:1], values]))


@elementwise
def nearest(x: Tensor, dtype: DType) -> Tensor:
    """The decoded value of ``dtype`` nearest to each of ``x``, for a tapered format ties upward.

    float32, float64 or int64 in, the same out.
    """
    if not isinstance(dtype, DyBitType):
        return x.round().clamp_(dtype.min, dtype.max) if x.is_floating_point() else x.clamp(dtype.min, dtype.max)
    if not x.is_floating_point():
        return nearest(x.clamp(dtype.min, dtype.max).double(), dtype).to(x.dtype)
    if not dtype.signed:
        return _buckets(dtype, x.dtype).of(x.clone())
    buckets, wanted = _buckets(dtype, x.dtype), x.abs()
    # the magnitude of a negative number less the least there is, so that a tie goes up, to the smaller one
    wanted.view(buckets.bits).add_(x.view(buckets.bits).bitwise_right_shift(8 * x.element_size() - 1))
    return buckets.of(wanted).copysign_(x)


class _FakeQuantize(torch.autograd.Function):
    """What backward needs lies in memory anyway: the input, and the output that the next layer takes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, dtype: DType, tie: float) -> Tensor:
        steps = x / scale
        y = nearest(steps.add_(tie) if tie else steps, dtype).mul_(scale)
        ctx.save_for_backward(x, y, scale)
        ctx.dtype = dtype
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        (grad,) = grads
        x, y, scale = ctx.saved_tensors
        of_x = _inside(grad, x, ctx.dtype.min * scale, ctx.dtype.max * scale)
        # y's derivative by the scale, straight through the rounding: (y - x) / scale, and y / scale where x saturates
        slope = (y - x).mul_(grad).addcmul_(grad - of_x, x)
        return of_x, slope.sum_to_size(scale.shape) / scale, None, None


def _inside(grad: Tensor, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """``grad`` where ``x`` lies between ``low`` and ``high``, both included, and else zero."""
    if low.numel() > 1:
        return grad * ((x >= low) & (x <= high))
    # one pass over memory in place of five; this function of torch leaves its ends out
    beyond = torch.tensor(torch.inf, dtype=x.dtype)
    ends = low.to(x.dtype).nextafter(-beyond), high.to(x.dtype).nextafter(beyond)
    return torch.ops.aten.hardtanh_backward(grad, x, *map(float, ends))


@elementwise
def fake_quantize(x: Tensor, scale: Tensor, dtype: DType, tie: float = 0.0) -> Tensor:
    """``x`` rounded to ``scale`` times a value of ``dtype``.

    ``scale`` broadcasts against ``x``. ``tie``, in steps: what lies so little below a tie is rounded upward with it.
    Gradients reach ``x`` where it lies inside the format's range, and ``scale`` everywhere.
    """
    return _FakeQuantize.apply(x, scale, dtype, tie)  # type: ignore[no-any-return]


@elementwise
def round_through(x: Tensor, scale: Tensor) -> Tensor:
    """``x`` rounded to a multiple of ``scale``, with the gradient of ``x`` itself."""
    step = scale.detach()
    return x + ((x / step).round() * step - x).detach()


@elementwise
def clip(x: Tensor, low: float, high: float) -> Tensor:
    """``x`` between ``low`` and ``high``, with gradients between them only: clamp's take many times as long."""
    return x if (low, high) == (-math.inf, math.inf) else F.hardtanh(x, low, high)
