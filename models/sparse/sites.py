"""Which sites of a batch of images are active, and which of them each window sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of a ``kernel`` x ``kernel`` convolution or pooling: what each sees of ``sites`` active sites.

    ``rows``: int64 [k * k, n], by tap (ky-major) and window the number of the site seen, ``sites`` for none.
    """

    kernel: int
    sites: int
    rows: Tensor
    own: int | None
    """The tap through which each window sees the site of its own number, where the sites stay as they are."""

    def __len__(self) -> int:
        return self.rows.shape[1]

    @cached_property
    def pairs(self) -> list[tuple[Tensor, Tensor]]:
        """By tap, the (site, window) of every site that is seen through it: two int64 [m], both ascending."""
        tap, window = (self.rows < self.sites).nonzero(as_tuple=True)
        site = self.rows[tap, window]
        counts = torch.bincount(tap, minlength=self.kernel**2).tolist()
        return list(zip(site.split(counts), window.split(counts), strict=True))


@dataclass(frozen=True, eq=False)
class Sites:
    """The active sites of ``batch`` images of ``height`` x ``width``.

    ``raster``: int64 [n], ascending: ``(image * height + y) * width + x`` of each. Image by image this is
    the order of a ``Frame``'s sites. What windows see is found once for each kernel, stride and padding, and
    kept: the layers of one resolution share one ``Sites``.
    """

    batch: int
    height: int
    width: int
    raster: Tensor
    _windows: dict[tuple[int, int, int], Windows] = field(default_factory=dict, init=False, repr=False)
    _cells: dict[tuple[int, int, int, int], Sites] = field(default_factory=dict, init=False, repr=False)

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
        """int64 [n]: the image of each site."""
        return self.raster // (self.height * self.width)

    @cached_property
    def place(self) -> Tensor:
        """int64 [n, 2]: (y, x) of each site."""
        row = self.raster // self.width
        return torch.stack([row % self.height, self.raster - row * self.width], dim=1)

    def same(self, other: Sites) -> bool:
        """Whether both hold the same sites."""
        mine, theirs = (self.batch, self.height, self.width), (other.batch, other.height, other.width)
        return self is other or (mine == theirs and torch.equal(self.raster, other.raster))

    def split(self, size: int) -> list[Sites]:
        """The sites of ``size`` images at a time."""
        area = self.height * self.width
        firsts = range(0, self.batch, size)
        counts = torch.bincount(self.image // size, minlength=len(firsts)).tolist()
        return [
            Sites(min(size, self.batch - first), self.height, self.width, raster - first * area)
            for first, raster in zip(firsts, self.raster.split(counts), strict=True)
        ]

    def after(self, kernel: int, stride: int, padding: int) -> Sites:
        """The output sites of a convolution or pooling: those with an active site in their cell, as in golden.

        Itself for one that is submanifold: stride 1 and 'same' padding.
        """
        height, width = ((side + 2 * padding - kernel) // stride + 1 for side in (self.height, self.width))
        offset = (kernel - 1) // 2 - padding
        key = (stride, offset, height, width)
        if key == (1, 0, self.height, self.width):
            return self
        if key not in self._cells:
            y, x = torch.div(self.place - offset, stride, rounding_mode="floor").unbind(dim=1)
            inside = (y >= 0) & (x >= 0) & (y < height) & (x < width)
            active = torch.zeros(self.batch, height, width, dtype=torch.bool, device=self.raster.device)
            active[self.image[inside], y[inside], x[inside]] = True
            self._cells[key] = Sites.of(active)
        return self._cells[key]

    def windows(self, kernel: int, stride: int, padding: int) -> Windows:
        """What the windows at the sites ``after`` see of these."""
        key = (kernel, stride, padding)
        if key not in self._windows:
            own = kernel**2 // 2 if self.after(*key) is self else None
            self._windows[key] = Windows(kernel, len(self), self._rows(*key), own)
        return self._windows[key]

    def _rows(self, kernel: int, stride: int, padding: int) -> Tensor:
        outputs = self.after(kernel, stride, padding)
        device = self.raster.device
        height, width = self.height + 2 * padding, self.width + 2 * padding
        row = torch.full((self.batch * height * width,), len(self), device=device)
        y, x = (self.place + padding).unbind(dim=1)
        row[(self.image * height + y) * width + x] = torch.arange(len(self), device=device)
        y, x = (outputs.place * stride).unbind(dim=1)
        first = (outputs.image * height + y) * width + x
        reach = torch.arange(kernel, device=device)
        return row[(reach[:, None] * width + reach).view(-1, 1) + first]
