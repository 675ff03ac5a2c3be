"""Convolution over active sites: full, depthwise and pointwise, with gradients and those of gradients.

Sums of integers in float64 are exact, in whatever order, below 2**53.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from models.sparse.sites import Windows


def full(x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    """``x`` [sites, c_in] under ``weight`` [c_out, c_in, k, k]: [windows, c_out]."""
    return _Full.apply(x, weight, windows)  # type: ignore[no-any-return]


def depthwise(x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
    """``x`` [sites, c] under ``weight`` [c, 1, k, k]: [windows, c]."""
    return _Depthwise.apply(x, weight.flatten(1).t(), windows)  # type: ignore[no-any-return]


class _Full(torch.autograd.Function):
    """As ``_Depthwise``, each tap a matrix product."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.windows = windows
        taps = weight.flatten(2).permute(2, 1, 0).contiguous()
        own = windows.own
        out = x.new_zeros(len(windows), len(weight)) if own is None else x @ taps[own]
        seen = _Rows(x, windows)
        for tap, (site, window) in enumerate(windows.pairs):
            if tap != own:
                out.index_add_(0, window, seen.of(x, site) @ taps[tap])
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        windows: Windows = ctx.windows
        taps = weight.flatten(2).permute(2, 0, 1).contiguous()
        if torch.is_grad_enabled():
            of_x, of_taps = _differentiable(x, taps, grad, windows, torch.matmul, lambda g, x: g.t() @ x)
            return of_x, of_taps.permute(1, 2, 0).view_as(weight), None
        own = windows.own
        of_x = of_taps = None
        if ctx.needs_input_grad[0]:
            of_x = torch.zeros_like(x) if own is None else grad @ taps[own]
        if ctx.needs_input_grad[1]:
            of_taps = torch.empty_like(taps)
        by_window, by_site = _Rows(grad, windows), _Rows(x, windows)
        for tap, (site, window) in enumerate(windows.pairs):
            part = grad if tap == own else by_window.of(grad, window)
            if of_taps is not None:
                torch.mm(part.t(), x if tap == own else by_site.of(x, site), out=of_taps[tap])
            if of_x is not None and tap != own:
                of_x.index_add_(0, site, part @ taps[tap])
        return of_x, None if of_taps is None else of_taps.permute(1, 2, 0).view_as(weight), None


class _Depthwise(torch.autograd.Function):
    """Tap by tap, over the pairs of site and window that the tap joins; the site in the middle is its window's own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, windows: Windows) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.windows = windows
        own = windows.own
        out = x.new_zeros(len(windows), x.shape[1]) if own is None else x * weight[own]
        seen = _Rows(x, windows)
        for tap, (site, window) in enumerate(windows.pairs):
            if tap != own:
                out.index_add_(0, window, seen.of(x, site).mul_(weight[tap]))
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        x, weight = ctx.saved_tensors
        windows: Windows = ctx.windows
        if torch.is_grad_enabled():
            return *_differentiable(x, weight, grad, windows, torch.mul, lambda g, x: (g * x).sum(0)), None
        own = windows.own
        of_x = torch.zeros_like(x) if own is None else grad * weight[own]
        of_weight = torch.empty_like(weight)
        by_window, by_site = _Rows(grad, windows), _Rows(x, windows)
        for tap, (site, window) in enumerate(windows.pairs):
            if tap == own:
                torch.sum(grad * x, dim=0, out=of_weight[tap])
                continue
            part = by_window.of(grad, window)
            torch.sum(by_site.of(x, site).mul_(part), dim=0, out=of_weight[tap])
            of_x.index_add_(0, site, part.mul_(weight[tap]))
        return of_x, of_weight, None


def _differentiable(
    x: Tensor,
    taps: Tensor,
    grad: Tensor,
    windows: Windows,
    back: Callable[[Tensor, Tensor], Tensor],
    product: Callable[[Tensor, Tensor], Tensor],
) -> tuple[Tensor, Tensor]:
    """Gradients of ``x`` and ``taps`` in functions that have gradients themselves, where someone asks for those."""
    of_x, of_taps = torch.zeros_like(x), []
    for (site, window), tap in zip(windows.pairs, taps, strict=True):
        of_x = of_x.index_add(0, site, back(grad[window], tap))
        of_taps.append(product(grad[window], x[site]))
    return of_x, torch.stack(of_taps)


class _Rows:
    """Rows of a tensor, one tap's after another's in the same memory: new memory costs as much as the sums."""

    def __init__(self, x: Tensor, windows: Windows) -> None:
        most = max((len(site) for tap, (site, _) in enumerate(windows.pairs) if tap != windows.own), default=0)
        self._kept = x.new_empty(most, x.shape[1])

    def of(self, x: Tensor, rows: Tensor) -> Tensor:
        return torch.index_select(x, 0, rows, out=self._kept[: len(rows)])
