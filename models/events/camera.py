"""A simulated event camera: the events that a sensor would record of a sequence of images.

The camera works on the logarithm of the light, interpolated linearly in time between frames. Each pixel stores the
level at its last event. It sends an event at the moment when the light has moved by a threshold from that level, so
there may be several events between two frames. For ``refractory`` microseconds after an event the pixel sends nothing;
its level is then the light at the end of that time. Thresholds differ from pixel to pixel, and random events are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from models.events.recording import EventError, Recording, recording

Events = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Times, numbers of pixels and polarities."""


@dataclass(frozen=True)
class Camera:
    """An event camera, by the properties in which sensors differ.

    Parameters
        rise        threshold on the logarithm of the light for events of polarity 1
        fall        threshold for events of polarity 0
        mismatch    standard deviation of the pixels' thresholds, relative to ``rise`` and ``fall``
        refractory  microseconds after an event in which a pixel sends nothing
        noise       random events of either polarity, per pixel and second
        hot         share of hot pixels
        hot_noise   random events of a hot pixel, per second
        dark        light of a black pixel, relative to a white one; it bounds the contrast
    """

    rise: float = 0.2
    fall: float = 0.2
    mismatch: float = 0.1
    refractory: int = 1000
    noise: float = 0.5
    hot: float = 0.001
    hot_noise: float = 100.0
    dark: float = 0.1

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            positive = item.name in ("rise", "fall", "dark")
            if not (np.isfinite(value) and value >= 0) or (positive and value == 0):
                raise EventError(f"camera {item.name}: {value} must be {'above 0' if positive else '0 or more'}")
        if self.hot > 1:
            raise EventError(f"camera hot: {self.hot} must be at most 1")

    def record(self, frames: Iterable[np.ndarray], times: Iterable[int], seed: int = 0) -> Recording:
        """The recording of a sequence of frames.

        Parameters
            frames  images ``[height, width]`` of light 0 to 1
            times   time of each frame in microseconds, ascending
            seed    seed of everything random
        """
        stacked = (np.asarray(frame, dtype=np.float64)[None] for frame in frames)
        (only,) = self.record_all(stacked, times, [seed])
        return only

    def record_all(self, frames: Iterable[np.ndarray], times: Iterable[int], seeds: Sequence[int]) -> list[Recording]:
        """The recordings of ``n`` cameras, each of which equals that of ``record`` alone.

        Parameters
            frames  images ``[n, height, width]`` of light 0 to 1, one for each camera
            times   time of each frame in microseconds, ascending
            seeds   seed of each camera
        """
        rngs = [np.random.default_rng(seed) for seed in seeds]
        film = zip(map(int, times), frames, strict=True)
        begin, first = next(film, (0, None))
        if first is None:
            raise EventError("frames: 0 must be 1 or more")
        if first.ndim != 3 or len(first) != len(rngs):
            raise EventError(f"frames: shape {first.shape} must be {len(rngs)} cameras, height and width")
        pixels = _Pixels(self, self._log(first), rngs)
        parts: list[Events] = []
        now = begin
        for time, frame in film:
            if frame.shape != first.shape:
                raise EventError(f"frames: {frame.shape} must have the first one's shape, {first.shape}")
            if time <= now:
                raise EventError(f"times: {time} us must be later than the frame before, {now} us")
            parts += pixels.advance(now, time, self._log(frame))
            now = time
        of_light = sum(len(t) for t, _, _ in parts)
        size = first[0].size
        parts += [self._random(size, number * size, begin, now, rng) for number, rng in enumerate(rngs)]
        t, pixel, p = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        random = np.arange(len(t)) >= of_light
        return _split(first.shape, *_without_refractory(t, pixel, p, random, self.refractory))

    def _log(self, frame: np.ndarray) -> np.ndarray:
        low, high = frame.min(), frame.max()
        if not (low >= 0 and high <= 1):
            raise EventError(f"frames: light {low} to {high} must be 0 to 1")
        return np.log(self.dark + (1 - self.dark) * frame.ravel())

    def _random(self, pixels: int, first: int, begin: int, end: int, rng: np.random.Generator) -> Events:
        """Random events of one camera, whose pixels are numbered from ``first``."""
        rate = np.where(rng.random(pixels) < self.hot, self.hot_noise, self.noise)
        pixel = first + np.repeat(np.arange(pixels), rng.poisson(rate * (end - begin) * 1e-6))
        return rng.integers(begin, end + 1, len(pixel)), pixel, rng.integers(0, 2, len(pixel), dtype=np.uint8)


class _Pixels:
    """The state of every pixel between frames."""

    def __init__(self, camera: Camera, light: np.ndarray, rngs: list[np.random.Generator]) -> None:
        each = [rng.standard_normal((2, len(light) // len(rngs))) for rng in rngs]
        # a threshold of 0 would give an endless number of events
        spread = np.maximum(1 + camera.mismatch * np.concatenate(each, axis=1), 0.1)
        self.rise, self.fall = camera.rise * spread[0], camera.fall * spread[1]
        self.refractory = camera.refractory
        self.light = light
        self.level = light.copy()
        self.awake = np.full(len(light), -np.inf)

    def advance(self, start: int, stop: int, light: np.ndarray) -> list[Events]:
        """The events between two frames whose later one is ``light``."""
        slope = (light - self.light) / (stop - start)
        waking = self.awake > start
        if waking.any():
            at = np.minimum(self.awake[waking], stop)
            self.level[waking] = self.light[waking] + slope[waking] * (at - start)
        move = light - self.level
        (pixel,) = np.nonzero((move >= self.rise) | (move <= -self.fall))
        events = []
        while len(pixel):
            up = light[pixel] > self.level[pixel]
            self.level[pixel] += np.where(up, self.rise[pixel], -self.fall[pixel])
            at = start + (self.level[pixel] - self.light[pixel]) / slope[pixel]
            # a threshold that was already crossed when the frame began gives an event at once
            at = np.clip(at, np.maximum(self.awake[pixel], start), stop)
            events.append((np.rint(at).astype(np.int64), pixel, up.astype(np.uint8)))
            if self.refractory:
                self.awake[pixel] = at + self.refractory
                wake = np.minimum(self.awake[pixel], stop)
                self.level[pixel] = self.light[pixel] + slope[pixel] * (wake - start)
            move = light[pixel] - self.level[pixel]
            pixel = pixel[(move >= self.rise[pixel]) | (move <= -self.fall[pixel])]
        self.light = light
        return events


def _without_refractory(
    t: np.ndarray, pixel: np.ndarray, p: np.ndarray, random: np.ndarray, refractory: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The events without random ones that lie closer than the refractory time to another event of their pixel."""
    order = np.lexsort((t, pixel))
    t, pixel, p, random = t[order], pixel[order], p[order], random[order]
    close = (np.diff(t) < refractory) & (np.diff(pixel) == 0)
    near = np.zeros(len(t), dtype=bool)
    near[1:] |= close
    near[:-1] |= close
    valid = ~(random & near)
    return t[valid], pixel[valid], p[valid]


def _split(shape: tuple[int, ...], t: np.ndarray, pixel: np.ndarray, p: np.ndarray) -> list[Recording]:
    count, height, width = shape
    camera, site = np.divmod(pixel, height * width)
    order = np.lexsort((site, t, camera))
    t, site, p = t[order], site[order], p[order]
    ends = np.searchsorted(camera[order], np.arange(count + 1))
    y, x = np.divmod(site, width)
    return [recording("camera", t[a:b], x[a:b], y[a:b], p[a:b], (height, width), "drop") for a, b in pairwise(ends)]
