"""Fake quantization: float in, float on the grid of a format out, gradients straight through."""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import Tensor

from models.ir.dtype import DType, DyBitType
from models.sparse import elementwise


@functools.cache
def _table(dtype: DyBitType, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """(magnitudes, sums of neighbours) of a tapered format."""
    magnitudes = torch.tensor(dtype.magnitudes.tolist(), dtype=kind)
    return magnitudes, magnitudes[:-1] + magnitudes[1:]


@elementwise
def nearest(x: Tensor, dtype: DType) -> Tensor:
    """The decoded value of ``dtype`` nearest to each of ``x``, for a tapered format ties away from zero.

    Float or int64 in, the same out.
    """
    if not isinstance(dtype, DyBitType):
        return (x.round() if x.is_floating_point() else x).clamp(dtype.min, dtype.max)
    magnitudes, sums = _table(dtype, x.dtype)
    wanted = x.abs() if dtype.signed else x.clamp(min=0)
    found = magnitudes[torch.bucketize(2 * wanted, sums, right=True)]
    return torch.where(x < 0, -found, found) if dtype.signed else found


class _FakeQuantize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, dtype: DType) -> Tensor:
        steps = x / scale
        on_grid = nearest(steps, dtype)
        inside = (steps >= dtype.min) & (steps <= dtype.max)
        # d(scale * on_grid)/d(scale), straight through the rounding
        slope = torch.where(inside, on_grid - steps, on_grid)
        ctx.save_for_backward(inside, slope)
        ctx.scale_shape = scale.shape
        return on_grid * scale

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        (grad,) = grads
        inside, slope = ctx.saved_tensors
        return grad * inside, (grad * slope).sum_to_size(ctx.scale_shape), None


@elementwise
def fake_quantize(x: Tensor, scale: Tensor, dtype: DType) -> Tensor:
    """``x`` rounded to ``scale`` times a value of ``dtype``.

    ``scale`` broadcasts against ``x``. Gradients reach ``x`` where it lies inside the format's
    range, and ``scale`` everywhere.
    """
    return _FakeQuantize.apply(x, scale, dtype)  # type: ignore[no-any-return]


@elementwise
def round_through(x: Tensor, scale: Tensor) -> Tensor:
    """``x`` rounded to a multiple of ``scale``, with the gradient of ``x`` itself."""
    step = scale.detach()
    return x + ((x / step).round() * step - x).detach()
