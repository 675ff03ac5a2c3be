"""Events as images: counts, voxel grids, time surfaces.

Each is an array ``[channels, height, width]`` of integers, which a network takes as they are: the
real value is the integer times one scale (``Dataset.input_scale``), and 0 wherever no event was.
"""

from __future__ import annotations

import numpy as np

from models.events.recording import EventError, Recording

MAX_VALUE = 255


def histogram(events: Recording, most: int = 15) -> np.ndarray:
    """uint8 ``[2, height, width]``: events a site, those of falling light first, at most ``most`` each."""
    _check("most", most, 1, MAX_VALUE)
    counts = _counts(_sites(events, events.p), 2, events)
    return np.minimum(counts, most).astype(np.uint8)


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise EventError(f"{name}: {value} must be {low} to {high}")


def _sites(events: Recording, channel: np.ndarray) -> np.ndarray:
    """int64 index of each event's element in an array [channels, height, width]."""
    index = np.multiply(channel, events.height, dtype=np.int64) + events.y
    return index * events.width + events.x


def _counts(sites: np.ndarray, channels: int, events: Recording) -> np.ndarray:
    shape = (channels, events.height, events.width)
    return np.bincount(sites, minlength=channels * events.height * events.width).reshape(shape)
