"""Convolution over active sites: full, depthwise and pointwise, with gradients.

Sums of integers in float64 are exact, in whatever order, below 2**53.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from models.sparse.sites import Windows


def full(x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    """``x`` [sites, c_in] under ``weight`` [c_out, c_in, k, k]: [windows, c_out]."""
    return _Full.apply(x, weight, windows)  # type: ignore[no-any-return]


def depthwise(x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    """``x`` [sites, c] under ``weight`` [c, 1, k, k]: [windows, c]."""
    return _Depthwise.apply(x, weight.flatten(1).t(), windows)  # type: ignore[no-any-return]


def _seen(x: Tensor, windows: Windows) -> Tensor:
    """[windows, k * k * c]: what each window sees, zero for nothing."""
    return torch.cat([x, x.new_zeros(1, x.shape[1])])[windows.rows.t()].flatten(1)


class _Full(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.windows = windows
        return F.linear(_seen(x, windows), weight.permute(0, 2, 3, 1).flatten(1))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        windows: Windows = ctx.windows
        c_out, c_in, k, _ = weight.shape
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            of_x = torch.zeros_like(x)
            for tap, (site, window) in zip(weight.flatten(2).unbind(dim=2), windows.pairs, strict=True):
                of_x.index_add_(0, site, grad[window] @ tap)
        if ctx.needs_input_grad[1]:
            of_weight = (grad.t() @ _seen(x, windows)).view(c_out, k, k, c_in).permute(0, 3, 1, 2)
        return of_x, of_weight, None


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.windows = windows
        out = x.new_zeros(len(windows), x.shape[1])
        for tap, (site, window) in zip(weight, windows.pairs, strict=True):
            out.index_add_(0, window, x.index_select(0, site).mul_(tap))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        windows: Windows = ctx.windows
        of_x = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        of_weight = torch.empty_like(weight) if ctx.needs_input_grad[1] else None
        for number, (site, window) in enumerate(windows.pairs):
            part = grad.index_select(0, window)
            if of_weight is not None:
                torch.sum(part * x.index_select(0, site), dim=0, out=of_weight[number])
            if of_x is not None:
                of_x.index_add_(0, site, part.mul_(weight[number]))
        return of_x, of_weight, None
