"""Fake quantization: floats rounded to the grid of a format, with straight-through gradients."""

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
    """The backward pass needs the input and the output only, which are in memory anyway."""

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
        x_grad = _inside(grad, x, ctx.dtype.min * scale, ctx.dtype.max * scale)
        # y's derivative by the scale, straight through the rounding: (y - x) / scale, and y / scale where x saturates
        slope = (y - x).mul_(grad).addcmul_(grad - x_grad, x)
        return x_grad, slope.sum_to_size(scale.shape) / scale, None, None


def _inside(grad: Tensor, x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """``grad`` where ``x`` lies between ``low`` and ``high``, both included; zero elsewhere."""
    if low.numel() > 1:
        return grad * ((x >= low) & (x <= high))
    # one pass over memory instead of five; this function of torch excludes its bounds
    infinity = torch.tensor(torch.inf, dtype=x.dtype)
    ends = low.to(x.dtype).nextafter(-infinity), high.to(x.dtype).nextafter(infinity)
    return torch.ops.aten.hardtanh_backward(grad, x, *map(float, ends))


@elementwise
def fake_quantize(x: Tensor, scale: Tensor, dtype: DType, tie: float = 0.0) -> Tensor:
    """Round ``x`` to ``scale`` times a value of ``dtype``.

    Gradients reach ``x`` where it lies inside the format's range, and ``scale`` everywhere.

    Parameters
        x         float tensor
        scale     real value of one step; it broadcasts against ``x``
        dtype     format
        tie       in steps: a number this close below a tie is rounded upward, as the tie is
    """
    return _FakeQuantize.apply(x, scale, dtype, tie)  # type: ignore[no-any-return]


@elementwise
def round_through(x: Tensor, scale: Tensor) -> Tensor:
    """Round ``x`` to a multiple of ``scale``, with the gradient of ``x`` itself."""
    step = scale.detach()
    return x + ((x / step).round() * step - x).detach()


@elementwise
def clip(x: Tensor, low: float, high: float) -> Tensor:
    """Clip ``x``, with gradients between the bounds only; the gradients of ``clamp`` take many times as long."""
    return x if (low, high) == (-math.inf, math.inf) else F.hardtanh(x, low, high)
