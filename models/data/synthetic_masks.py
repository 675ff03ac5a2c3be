"""Frames drawn to a given activity: so many active sites at each resolution, in clusters.

Made from the coarsest resolution up: of the sites that may be active, those where a random field is highest are, at
least one in each active cell of the resolution below. The field is a sum of smooth noise and of noise a site by itself;
the share of the smooth one says how much the sites lie together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SMOOTH = 2
"""Radius of the smooth noise, in sites of each resolution."""
STEPS = 8
"""Halvings in the search for the share of the smooth noise."""


def sides_of(height: int, width: int, levels: int) -> list[tuple[int, int]]:
    """The sides of so many resolutions, each with half the sites of the one before along either side, rounded up."""
    found = [(height, width)]
    for _ in range(levels - 1):
        found.append(((found[-1][0] + 1) // 2, (found[-1][1] + 1) // 2))
    return found


def clustered(
    rng: np.random.Generator, height: int, width: int, densities: Sequence[float], share: float
) -> np.ndarray:
    """bool ``[height, width]``; at resolution n, n strides of 2 below, the share ``densities[n]`` is active, to a site.

    A density that the next one does not allow is held to what it does: a cell has one to four sites. ``share``: of the
    smooth noise in the field, 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: {share} must be 0 to 1")
    sides = sides_of(height, width, len(densities))
    active = np.ones((-(-sides[-1][0] // 2), -(-sides[-1][1] // 2)), dtype=bool)
    for level in reversed(range(len(sides))):
        coarsest = level == len(sides) - 1
        count = round(densities[level] * sides[level][0] * sides[level][1])
        active = _refined(_field(rng, sides[level], share), active, count, each=not coarsest)
    return active


def matched(
    rng: np.random.Generator, height: int, width: int, densities: Sequence[float], taps: float, frames: int
) -> list[np.ndarray]:
    """So many clustered frames. Their 3x3 windows at the second resolution see ``taps`` active sites on average, as
    nearly as a share of smooth noise, the same for all frames, can have it.
    """
    seeds = rng.integers(1 << 32, size=frames).tolist()

    def drawn(share: float) -> list[np.ndarray]:
        return [clustered(np.random.default_rng(seed), height, width, densities, share) for seed in seeds]

    low, high = 0.0, 1.0
    for _ in range(STEPS):
        share = (low + high) / 2
        found = float(np.mean([seen(halved(mask)) for mask in drawn(share)]))
        low, high = (share, high) if found < taps else (low, share)
    return drawn(high)


def halved(mask: np.ndarray) -> np.ndarray:
    """The next resolution below: a site is active when any of its 2x2 cell is."""
    height, width = mask.shape
    padded = np.pad(mask, ((0, height % 2), (0, width % 2)))
    cells = padded.reshape(padded.shape[0] // 2, 2, padded.shape[1] // 2, 2)
    return np.any(cells, axis=(1, 3))


def seen(mask: np.ndarray) -> float:
    """The mean number of active sites in the 3x3 windows around active sites."""
    return float(_blurred(mask.astype(float), 1)[mask].mean()) if mask.any() else 0.0


def _refined(field: np.ndarray, cells: np.ndarray, count: int, *, each: bool) -> np.ndarray:
    """The ``count`` highest sites inside active ``cells``, and with ``each`` the highest of each cell first."""
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
    reach = range(2 * radius + 1)
    return sum((padded[dy : dy + height, dx : dx + width] for dy in reach for dx in reach), np.zeros_like(values))
