"""The active sites of a batch of images, and which of them each window sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from models.ir.window import Window


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of a convolution or pooling: which active sites each of them sees.

    Parameters
        sites          number of active sites
        rows           int64 [taps, n]: for each tap and window the index of its site, or ``sites`` for none
        center_tap     tap through which window ``i`` sees site ``i``, or None where the active sites change
    """

    sites: int
    rows: Tensor
    center_tap: int | None

    def __len__(self) -> int:
        return self.rows.shape[1]

    @cached_property
    def pairs(self) -> list[tuple[Tensor, Tensor]]:
        """For each tap the indices of the sites and of the windows that it joins: two int64 [m], both ascending."""
        tap, window = (self.rows < self.sites).nonzero(as_tuple=True)
        site = self.rows[tap, window]
        counts = torch.bincount(tap, minlength=len(self.rows)).tolist()
        return list(zip(site.split(counts), window.split(counts), strict=True))


@dataclass(frozen=True, eq=False)
class Sites:
    """The active sites of a batch of images.

    In each image they have the order of a ``Frame``'s sites. The layers of one resolution share one ``Sites``, which
    caches what each window sees.

    Parameters
        batch      number of images
        height     rows of an image
        width      columns of an image
        raster     int64 [n], ascending: ``(image * height + y) * width + x`` of each site
    """

    batch: int
    height: int
    width: int
    raster: Tensor
    _windows: dict[Window, Windows] = field(default_factory=dict, init=False, repr=False)
    _cells: dict[tuple[int, ...], Sites] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, mask: Tensor) -> Sites:
        """The sites where ``mask``, bool [n, H, W], is true."""
        batch, height, width = mask.shape
        return cls(batch, height, width, mask.flatten().nonzero()[:, 0])

    def __len__(self) -> int:
        return len(self.raster)

    @property
    def full(self) -> bool:
        """Whether every site is active."""
        return len(self) == self.batch * self.height * self.width

    @cached_property
    def image(self) -> Tensor:
        """int64 [n]: the index of each site's image."""
        return self.raster // (self.height * self.width)

    @cached_property
    def coordinates(self) -> Tensor:
        """int64 [n, 2]: (y, x) of each site."""
        row = self.raster // self.width
        return torch.stack([row % self.height, self.raster - row * self.width], dim=1)

    def same(self, other: Sites) -> bool:
        """Whether both hold the same sites."""
        sides, other_sides = (self.batch, self.height, self.width), (other.batch, other.height, other.width)
        return self is other or (sides == other_sides and torch.equal(self.raster, other.raster))

    def split(self, size: int) -> list[Sites]:
        """The sites of each group of ``size`` images."""
        area = self.height * self.width
        firsts = range(0, self.batch, size)
        counts = torch.bincount(self.image // size, minlength=len(firsts)).tolist()
        return [
            Sites(min(size, self.batch - first), self.height, self.width, raster - first * area)
            for first, raster in zip(firsts, self.raster.split(counts), strict=True)
        ]

    def output_sites(self, window: Window) -> Sites:
        """The output sites of a convolution or pooling: those with an active site in their stride cell, as in golden.

        The result is ``self`` for a submanifold layer, which has stride 1 and 'same' padding.
        """
        height, width = window.out_sides(self.height, self.width)
        strides, offsets = (window.y.stride, window.x.stride), (window.y.cell_offset, window.x.cell_offset)
        key = (*strides, *offsets, height, width)
        if key == (1, 1, 0, 0, self.height, self.width):
            return self
        if key not in self._cells:
            device = self.raster.device
            moved = self.coordinates - torch.tensor(offsets, device=device)
            cells = torch.div(moved, torch.tensor(strides, device=device), rounding_mode="floor")
            y, x = cells.unbind(dim=1)
            inside = (y >= 0) & (x >= 0) & (y < height) & (x < width)
            active = torch.zeros(self.batch, height, width, dtype=torch.bool, device=device)
            active[self.image[inside], y[inside], x[inside]] = True
            self._cells[key] = Sites.of(active)
        return self._cells[key]

    def windows(self, window: Window) -> Windows:
        """The windows at the ``output_sites``, and which of these sites they see."""
        if window not in self._windows:
            center_tap = window.center_tap if self.output_sites(window) is self else None
            self._windows[window] = Windows(len(self), self._rows(window), center_tap)
        return self._windows[window]

    def _rows(self, window: Window) -> Tensor:
        outputs = self.output_sites(window)
        device = self.raster.device
        height, width = window.y.padded(self.height), window.x.padded(self.width)
        row = torch.full((self.batch * height * width,), len(self), device=device)
        y, x = self.coordinates.unbind(dim=1)
        row[(self.image * height + y + window.y.before) * width + x + window.x.before] = torch.arange(
            len(self), device=device
        )
        y, x = outputs.coordinates.unbind(dim=1)
        first = (outputs.image * height + y * window.y.stride) * width + x * window.x.stride
        offsets = torch.tensor([below * width + right for below, right in window.positions], device=device)
        return row[offsets[:, None] + first]
