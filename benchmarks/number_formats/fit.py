"""The scale of a tensor for a grid by least squared error, and what error is left, the same for every format."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist

import torch
from torch import Tensor

from benchmarks.number_formats.grids import Grid

STEPS = 10
"""Scales tried an octave."""
SATURATION = 4
"""Octaves by which the largest value may lie beyond the grid."""
QUANTILES = 1 << 16
"""Of a distribution, each in the middle of its share: the outermost lie at 1 in 131,072."""


@dataclass(frozen=True)
class _Table:
    """``nearest[floor(x * steps) - first]`` is nearest to ``x``; all middles are multiples of ``1 / steps``."""

    steps: int
    first: int
    nearest: Tensor


@functools.cache
def _table(grid: Grid, kind: torch.dtype) -> _Table:
    values = torch.tensor(grid.values, dtype=torch.float64)
    middles = (values[:-1] + values[1:]) / 2
    steps = 1
    while (middles * steps != (middles * steps).round()).any():
        steps *= 2
    first, last = (math.floor(end * steps) for end in (grid.values[0], grid.values[-1]))
    places = torch.arange(first, last + 1, dtype=torch.float64) / steps
    return _Table(steps, first, values[torch.bucketize(places, middles, right=True)].to(kind))


def rounded(x: Tensor, scale: Tensor, grid: Grid) -> Tensor:
    """``scale`` times the values of ``grid`` that are nearest, ties upward; ``scale`` broadcasts against ``x``."""
    table = _table(grid, x.dtype)
    place = (x * (table.steps / scale)).floor_().clamp_(table.first, table.first + len(table.nearest) - 1)
    return table.nearest[place.sub_(table.first).int()] * scale


def fitted(rows: Tensor, grid: Grid) -> Tensor:
    """The scale [c] of least squared error for each row of ``rows`` [c, n] float64; rows of zeros take 1.

    From where the largest value is ``SATURATION`` octaves beyond the grid to where it lies at the grid's median.
    """
    reach = rows.abs().amax(dim=1) / grid.largest
    headroom = math.log2(grid.largest / grid.median)
    if grid.shared:
        top = math.ceil(math.log2(float(reach.max()) or 1.0))
        octaves = range(top - SATURATION, top + math.ceil(headroom) + 1)
        scales = [torch.full_like(reach, 2.0**octave) for octave in octaves]
        errors = [_errors(rows, scale, grid).sum().expand(len(rows)) for scale in scales]
    else:
        span = range(-SATURATION * STEPS, math.ceil(headroom * STEPS) + 1)
        scales = [torch.where(reach > 0, reach * 2.0 ** (step / STEPS), 1.0) for step in span]
        errors = [_errors(rows, scale, grid) for scale in scales]
    best = torch.stack(errors).argmin(dim=0)
    return torch.stack(scales).gather(0, best[None])[0]


def _errors(rows: Tensor, scale: Tensor, grid: Grid) -> Tensor:
    return (rounded(rows, scale[:, None], grid) - rows).square().sum(dim=1)


def sqnr(rows: Tensor, grid: Grid) -> float:
    """Decibels of signal over rounding error of ``rows`` [c, n] float64, each with its fitted scale."""
    left = _errors(rows, fitted(rows, grid), grid).sum()
    return float(10 * torch.log10(rows.square().sum() / left))


def distribution(name: str) -> Tensor:
    """float64 ``[1, QUANTILES]``: quantiles of ``normal``, ``laplace``, ``half-normal`` or ``exponential``."""
    share = (torch.arange(QUANTILES, dtype=torch.float64) + 0.5) / QUANTILES
    if name == "exponential":
        return -(1 - share).log()[None]
    if name == "laplace":
        return (torch.sign(share - 0.5) * -(1 - 2 * (share - 0.5).abs()).log())[None]
    inverse = NormalDist().inv_cdf
    shares = share if name == "normal" else (1 + share) / 2
    return torch.tensor([inverse(p) for p in shares.tolist()], dtype=torch.float64)[None]


SIGNED = {"normal": True, "laplace": True, "half-normal": False, "exponential": False}
"""The distributions, and whether either sign occurs."""
