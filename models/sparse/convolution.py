"""Convolution over active sites: full, depthwise and pointwise, differentiable twice.

Sums of integers below 2**53 are exact in float64, in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from models.sparse.sites import Windows


def full(x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    """The full convolution of ``x`` [sites, c_in] with ``weight`` [c_out, c_in, k, k], as [windows, c_out]."""
    return _Full.apply(x, weight, windows)  # type: ignore[no-any-return]


def depthwise(x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    """The depthwise convolution of ``x`` [sites, c] with ``weight`` [c, 1, k, k], as [windows, c]."""
    return _Depthwise.apply(x, weight.flatten(1).t(), windows)  # type: ignore[no-any-return]


class _Full(torch.autograd.Function):
    """Full convolution: like ``_Depthwise``, with a matrix product for each tap."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.windows = windows
        taps = weight.flatten(2).permute(2, 1, 0).contiguous()
        center = windows.center_tap
        out = x.new_zeros(len(windows), len(weight)) if center is None else x @ taps[center]
        rows = _RowBuffer(x, windows)
        for tap, (site, window) in enumerate(windows.pairs):
            if tap != center:
                out.index_add_(0, window, rows.gather(x, site) @ taps[tap])
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        windows: Windows = ctx.windows
        taps = weight.flatten(2).permute(2, 0, 1).contiguous()
        if torch.is_grad_enabled():
            x_grad, taps_grad = _differentiable(x, taps, grad, windows, torch.matmul, lambda g, x: g.t() @ x)
            return x_grad, taps_grad.permute(1, 2, 0).view_as(weight), None
        center = windows.center_tap
        x_grad = taps_grad = None
        if ctx.needs_input_grad[0]:
            x_grad = torch.zeros_like(x) if center is None else grad @ taps[center]
        if ctx.needs_input_grad[1]:
            taps_grad = torch.empty_like(taps)
        by_window, by_site = _RowBuffer(grad, windows), _RowBuffer(x, windows)
        for tap, (site, window) in enumerate(windows.pairs):
            part = grad if tap == center else by_window.gather(grad, window)
            if taps_grad is not None:
                torch.mm(part.t(), x if tap == center else by_site.gather(x, site), out=taps_grad[tap])
            if x_grad is not None and tap != center:
                x_grad.index_add_(0, site, part @ taps[tap])
        return x_grad, None if taps_grad is None else taps_grad.permute(1, 2, 0).view_as(weight), None


class _Depthwise(torch.autograd.Function):
    """Depthwise convolution, one tap at a time, over the pairs of site and window that the tap joins.

    The pairs of the center tap are (i, i), so that it needs no indices.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.windows = windows
        center = windows.center_tap
        out = x.new_zeros(len(windows), x.shape[1]) if center is None else x * weight[center]
        rows = _RowBuffer(x, windows)
        for tap, (site, window) in enumerate(windows.pairs):
            if tap != center:
                out.index_add_(0, window, rows.gather(x, site).mul_(weight[tap]))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        windows: Windows = ctx.windows
        if torch.is_grad_enabled():
            return *_differentiable(x, weight, grad, windows, torch.mul, lambda g, x: (g * x).sum(0)), None
        center = windows.center_tap
        x_grad = torch.zeros_like(x) if center is None else grad * weight[center]
        weight_grad = torch.empty_like(weight)
        by_window, by_site = _RowBuffer(grad, windows), _RowBuffer(x, windows)
        for tap, (site, window) in enumerate(windows.pairs):
            if tap == center:
                torch.sum(grad * x, dim=0, out=weight_grad[tap])
                continue
            part = by_window.gather(grad, window)
            torch.sum(by_site.gather(x, site).mul_(part), dim=0, out=weight_grad[tap])
            x_grad.index_add_(0, site, part.mul_(weight[tap]))
        return x_grad, weight_grad, None


def _differentiable(
    x: Tensor,
    taps: Tensor,
    grad: Tensor,
    windows: Windows,
    back: Callable[[Tensor, Tensor], Tensor],
    product: Callable[[Tensor, Tensor], Tensor],
) -> tuple[Tensor, Tensor]:
    """Gradients of ``x`` and ``taps`` in differentiable functions, for second derivatives."""
    x_grad, taps_grad = torch.zeros_like(x), []
    for (site, window), tap in zip(windows.pairs, taps, strict=True):
        x_grad = x_grad.index_add(0, site, back(grad[window], tap))
        taps_grad.append(product(grad[window], x[site]))
    return x_grad, torch.stack(taps_grad)


class _RowBuffer:
    """Gathers rows of a tensor into one reused buffer: allocating memory for each tap costs as much as the sums."""

    def __init__(self, x: Tensor, windows: Windows) -> None:
        largest = max(
            (len(site) for tap, (site, _) in enumerate(windows.pairs) if tap != windows.center_tap), default=0
        )
        self._buffer = x.new_empty(largest, x.shape[1])

    def gather(self, x: Tensor, rows: Tensor) -> Tensor:
        return torch.index_select(x, 0, rows, out=self._buffer[: len(rows)])
