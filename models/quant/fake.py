"""Fake quantization: float in, float on the grid of a format out, gradients straight through."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from models.ir.dtype import DType
from models.rounding import nearest_value
from models.sparse import elementwise


class _FakeQuantize(torch.autograd.Function):
    """What backward needs lies in memory anyway: the input, and the output that the next layer takes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, dtype: DType, tie: float) -> Tensor:
        steps = x / scale
        y = nearest_value(steps.add_(tie) if tie else steps, dtype).mul_(scale)
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
