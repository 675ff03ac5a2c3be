"""Saccades: small quick movements of the sensor, which make a still picture visible to an event camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.events.camera import Camera
from models.events.recording import EventError, Recording

BATCH = 64
"""Images that are recorded at a time; more would not fit the processor's cache."""


@dataclass(frozen=True)
class Saccades:
    """A closed path of straight saccades over a picture.

    The default is the path of N-MNIST, as its events show it: down and right, up and right, back.

    Parameters
        corners  positions of the picture, (down, right) in pixels, at the start of each saccade; the last saccade
                 leads back to the first corner
        period   microseconds from the start of one saccade's period to the next
        move     microseconds of movement, in the middle of the period; the speed is a raised cosine
        step     microseconds between frames
    """

    corners: tuple[tuple[float, float], ...] = ((-2.0, -2.0), (2.0, 0.0), (-2.0, 2.0))
    period: int = 100_000
    move: int = 80_000
    step: int = 2_000

    def __post_init__(self) -> None:
        if len(self.corners) < 2:
            raise EventError(f"saccades corners: {self.corners} must be 2 or more")
        if not 0 < self.move <= self.period:
            raise EventError(f"saccades move: {self.move} us must be 1 to the period, {self.period}")
        if not 0 < self.step <= self.move:
            raise EventError(f"saccades step: {self.step} us must be 1 to the move, {self.move}")

    @property
    def duration(self) -> int:
        return self.period * len(self.corners)

    @property
    def times(self) -> np.ndarray:
        """int64 ``[frames]``: the time of each frame in microseconds, from 0 to the end of the path."""
        times = np.arange(0, self.duration, self.step, dtype=np.int64)
        return np.append(times, self.duration)

    def positions(self) -> np.ndarray:
        """float ``[frames, 2]``: the position of the picture at each of ``times``, (down, right) in pixels."""
        turn, since = np.divmod(self.times, self.period)
        share = np.clip((since - (self.period - self.move) / 2) / self.move, 0, 1)
        way = (share - np.sin(2 * np.pi * share) / (2 * np.pi))[:, None]
        corners = np.array(self.corners, dtype=np.float64)
        ends = np.roll(corners, -1, axis=0)
        here = turn % len(corners)
        return corners[here] * (1 - way) + ends[here] * way

    def frames(self, images: np.ndarray, margin: float = 0.0) -> Iterator[np.ndarray]:
        """Images ``[..., height, width]`` at each of ``times``; ``margin`` is the light around them."""
        for down, right in self.positions():
            yield translate(images, down, right, margin)


def recordings(
    images: np.ndarray, camera: Camera = Camera(), saccades: Saccades = Saccades(), seed: int = 0
) -> Iterator[Recording]:
    """The recording of each image, seen through saccades. A recording does not depend on the other images.

    Parameters
        images    ``[n, height, width]`` of light 0 to 1; around them it is dark
        camera    the camera
        saccades  its movement
        seed      seed of the first image; image i has the seed ``seed + i``
    """
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        seeds = range(seed + start, seed + start + len(part))
        yield from camera.record_all(saccades.frames(part), saccades.times, seeds)


def translate(images: np.ndarray, down: float, right: float, margin: float = 0.0) -> np.ndarray:
    """Images moved by a number of pixels, which need not be whole, with bilinear interpolation.

    Parameters
        images  ``[..., height, width]``
        down    pixels downwards
        right   pixels to the right
        margin  value outside of the images
    """
    height, width = images.shape[-2:]
    whole_down, whole_right = int(np.floor(down)), int(np.floor(right))
    part_down, part_right = down - whole_down, right - whole_right
    padding = max(abs(whole_down), abs(whole_right)) + 1
    around = [(0, 0)] * (images.ndim - 2) + [(padding, padding)] * 2
    padded = np.pad(images, around, constant_values=margin)

    def at(dy: int, dx: int) -> np.ndarray:
        top, left = padding - whole_down - dy, padding - whole_right - dx
        return padded[..., top : top + height, left : left + width]

    upper = (1 - part_right) * at(0, 0) + part_right * at(0, 1)
    lower = (1 - part_right) * at(1, 0) + part_right * at(1, 1)
    return (1 - part_down) * upper + part_down * lower
