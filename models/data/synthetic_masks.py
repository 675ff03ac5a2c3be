"""Synthetic masks with a given activity: a given share of active sites at each resolution, in clusters.

A mask is made from the coarsest resolution to the finest. At each resolution the sites inside active cells of the
coarser one are ranked by a random field; the highest ones become active, at least one in each active cell. The field
is a sum of smooth noise and of independent noise at each site; the share of the smooth noise sets how much the active
sites cluster.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SMOOTH = 2
"""Radius of the smooth noise, in sites of each resolution."""
STEPS = 8
"""Bisection steps in the search for the share of the smooth noise."""


def resolutions(height: int, width: int, levels: int) -> list[tuple[int, int]]:
    """(height, width) of ``levels`` resolutions; each has half the rows and columns of the one before, rounded up."""
    sides = [(height, width)]
    for _ in range(levels - 1):
        sides.append(((sides[-1][0] + 1) // 2, (sides[-1][1] + 1) // 2))
    return sides


def clustered_mask(
    rng: np.random.Generator, height: int, width: int, densities: Sequence[float], share: float
) -> np.ndarray:
    """A mask, bool ``[height, width]``, with a given share of active sites at each resolution.

    An active cell has one to four active sites, so a density that the next one rules out is replaced by the nearest
    possible one.

    Parameters
        rng        source of the random field
        height     rows of the mask
        width      columns of the mask
        densities  share of active sites at each resolution, exact to one site; resolution n lies n strides of 2 below
        share      share of the smooth noise in the field, 0 to 1
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: {share} must be 0 to 1")
    sides = resolutions(height, width, len(densities))
    active = np.ones((-(-sides[-1][0] // 2), -(-sides[-1][1] // 2)), dtype=bool)
    for level in reversed(range(len(sides))):
        coarsest = level == len(sides) - 1
        count = round(densities[level] * sides[level][0] * sides[level][1])
        active = _refined(_field(rng, sides[level], share), active, count, each=not coarsest)
    return active


def clustered_frames(
    rng: np.random.Generator, height: int, width: int, densities: Sequence[float], window_sites: float, frames: int
) -> list[np.ndarray]:
    """Frames with clusters of a given size: a search for the share of smooth noise, the same for all frames.

    Parameters
        rng           source of the frames' seeds
        height        rows of a frame
        width         columns of a frame
        densities     share of active sites at each resolution, as ``clustered_mask`` takes them
        window_sites  mean number of active sites in the 3x3 windows around active sites of the second resolution;
                      where no share gives it, the frames are those of the nearest share
        frames        number of frames
    """
    seeds = rng.integers(1 << 32, size=frames).tolist()

    def masks(share: float) -> list[np.ndarray]:
        return [clustered_mask(np.random.default_rng(seed), height, width, densities, share) for seed in seeds]

    low, high = 0.0, 1.0
    for _ in range(STEPS):
        share = (low + high) / 2
        mean = float(np.mean([mean_window_sites(downsampled(mask)) for mask in masks(share)]))
        low, high = (share, high) if mean < window_sites else (low, share)
    return masks(high)


def downsampled(mask: np.ndarray) -> np.ndarray:
    """The next resolution below: a site is active when any of its 2x2 cell is."""
    height, width = mask.shape
    padded = np.pad(mask, ((0, height % 2), (0, width % 2)))
    cells = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2)
    return np.any(cells, axis=(1, 3))


def mean_window_sites(mask: np.ndarray) -> float:
    """The mean number of active sites in the 3x3 windows around active sites."""
    return float(_blurred(mask.astype(float), 1)[mask].mean()) if mask.any() else 0.0


def _refined(field: np.ndarray, cells: np.ndarray, count: int, *, each: bool) -> np.ndarray:
    """The ``count`` highest sites inside active ``cells``; with ``each``, every active cell has at least one."""
    height, width = field.shape
    y, x = np.indices(field.shape)
    cell = (y // 2) * cells.shape[1] + x // 2
    order = np.argsort(-field, axis=None)
    order = order[cells.reshape(-1)[cell.reshape(-1)[order]]]
    if each:
        _, firsts = np.unique(cell.reshape(-1)[order], return_index=True)
        order = np.concatenate([order[np.sort(firsts)], np.delete(order, firsts)])
        count = max(count, len(firsts))
    active = np.zeros(height * width, dtype=bool)
    active[order[:count]] = True
    return active.reshape(height, width)


def _field(rng: np.random.Generator, side: tuple[int, int], share: float) -> np.ndarray:
    smooth = _blurred(_blurred(rng.standard_normal(side), SMOOTH), SMOOTH)
    return share * smooth / smooth.std() + (1 - share) * rng.standard_normal(side)


def _blurred(values: np.ndarray, radius: int) -> np.ndarray:
    """The sum over a square of ``2 * radius + 1`` sites a side, zero outside."""
    padded = np.pad(values, radius)
    height, width = values.shape
    offsets = range(2 * radius + 1)
    return sum((padded[dy : dy + height, dx : dx + width] for dy in offsets for dx in offsets), np.zeros_like(values))
