"""The simulated camera against a pixel at a time in exact arithmetic, its noise and its rest."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from models.events import EventError
from models.events.camera import Camera
from tests.models.events.files import Event, rows

QUIET = {"mismatch": 0.0, "noise": 0.0, "hot": 0.0}


def film(seed: int, count: int = 12, height: int = 4, width: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Frames whose light jumps, drifts and stands still, and their times."""
    rng = np.random.default_rng(seed)
    frames = rng.random((count, height, width)) ** rng.choice([0.3, 1, 3])
    still = rng.random((count, height, width)) < 0.3
    for number in range(1, count):
        frames[number][still[number]] = frames[number - 1][still[number]]
    return frames, 500 + np.cumsum(rng.integers(1, 5000, count))


def slow_pixel(times: list[int], light: list[float], rise: float, fall: float, rest: int) -> list[tuple[int, int]]:
    """(time, polarity) of one pixel, an event at a time, in exact arithmetic."""
    level, awake = Fraction(light[0]), Fraction(-1)
    result = []
    for start, stop, before, after in zip(times, times[1:], light, light[1:], strict=False):
        slope = (Fraction(after) - Fraction(before)) / (stop - start)

        def at(time: Fraction, start: int = start, before: float = before, slope: Fraction = slope) -> Fraction:
            return Fraction(before) + slope * (time - start)

        if start < awake < stop:
            level = at(awake)
        while awake < stop and slope:
            target = level + Fraction(rise) if slope > 0 else level - Fraction(fall)
            time = start + (target - Fraction(before)) / slope
            if time > stop:
                break
            result.append((round(time), int(slope > 0)))
            level = target
            if rest:
                awake = time + rest
                if awake < stop:
                    level = at(awake)
        if awake >= stop:
            level = Fraction(after)
    return result


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("refractory", [0, 1, 700, 6000])
def test_light_becomes_events_as_a_pixel_at_a_time(seed: int, refractory: int) -> None:
    camera = Camera(rise=0.23, fall=0.31, refractory=refractory, dark=0.05, **(QUIET | {"mismatch": 0.2}))
    frames, times = film(seed)
    result = camera.record(frames, times, seed)
    # thresholds are what the camera draws first
    spread = np.maximum(1 + 0.2 * np.random.default_rng(seed).standard_normal((2, frames[0].size)), 0.1)
    expected: list[Event] = []
    light = np.log(0.05 + 0.95 * frames.reshape(len(frames), -1))
    for pixel in range(frames[0].size):
        y, x = divmod(pixel, frames.shape[2])
        events = slow_pixel(
            times.tolist(), light[:, pixel].tolist(), 0.23 * spread[0, pixel], 0.31 * spread[1, pixel], refractory
        )
        expected += [(time, x, y, p) for time, p in events]
    expected.sort(key=lambda event: (event[0], event[2], event[1]))
    assert len(expected) > 20
    assert rows(result) == expected


def test_times_of_crossings_lie_between_the_frames() -> None:
    # the logarithm moves by ten thresholds in 1000 us, evenly
    camera = Camera(rise=math.log(10) / 10 - 1e-12, refractory=0, dark=0.1, **QUIET)
    result = camera.record([np.zeros((1, 1)), np.ones((1, 1))], [0, 1000])
    assert rows(result) == [(time, 0, 0, 1) for time in range(100, 1001, 100)]
    darker = camera.record([np.ones((1, 1)), np.zeros((1, 1))], [0, 1000])
    assert set(darker.p.tolist()) == {0}


def test_many_cameras_at_once_are_as_many_recordings() -> None:
    films = [film(seed) for seed in (3, 4, 5)]
    times = films[0][1]
    stacked = [np.stack(frames) for frames in zip(*(frames for frames, _ in films), strict=True)]
    camera = Camera(noise=30)
    result = camera.record_all(stacked, times, [7, 8, 9])
    assert result == [camera.record(frames, times, seed) for (frames, _), seed in zip(films, (7, 8, 9), strict=True)]


def test_chance_follows_the_seed() -> None:
    frames, times = film(1, height=20, width=20)
    camera = Camera(noise=50, hot=0.02, hot_noise=2000)
    assert camera.record(frames, times, 1) == camera.record(frames, times, 1)
    assert camera.record(frames, times, 1) != camera.record(frames, times, 2)


def test_noise_adds_events_and_takes_none_away() -> None:
    frames, times = film(2, 40, 20, 20)
    light = Camera(noise=0, hot=0, refractory=50).record(frames, times, 5)
    noisy = Camera(noise=20, hot=0, refractory=50).record(frames, times, 5)
    left = rows(noisy)
    for event in rows(light):
        left.remove(event)
    seconds = (times[-1] - times[0]) * 1e-6
    mean = 20 * 400 * seconds
    # some that fall into a pixel's rest are missing
    assert 0.9 * mean < len(left) < mean + 4 * math.sqrt(mean)
    assert 0.3 < np.mean([p for *_, p in left]) < 0.7


def test_a_dark_still_sensor_sends_noise_at_its_rate() -> None:
    still = [np.zeros((40, 40))] * 2
    result = Camera(noise=5, hot=0, refractory=0).record(still, [0, 10_000_000], 3)
    mean = 5 * 1600 * 10
    assert abs(len(result) - mean) < 4 * math.sqrt(mean)
    assert (result.t.min() >= 0, result.t.max() <= 10_000_000) == (True, True)
    hot = Camera(noise=0, hot=0.01, hot_noise=100, refractory=0).record(still, [0, 10_000_000], 3)
    sites, counts = np.unique(hot.y * 40 + hot.x, return_counts=True)
    assert 4 <= len(sites) <= 32
    assert (abs(counts - 1000) < 5 * math.sqrt(1000)).all()
    assert len(Camera(noise=0, hot=0).record(still, [0, 10_000_000])) == 0


@pytest.mark.parametrize("refractory", [1, 300, 5000])
def test_a_pixel_rests_between_events(refractory: int) -> None:
    frames, times = film(6, 40, 10, 10)
    result = Camera(refractory=refractory, noise=100, hot=0.05, hot_noise=3000).record(frames, times, 7)
    site = result.y.astype(int) * 10 + result.x
    order = np.lexsort((result.t, site))
    gaps = np.diff(result.t[order])[np.diff(site[order]) == 0]
    # both times are rounded to whole microseconds
    assert gaps.min() >= refractory - 1


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Camera(rise=0), "camera rise: 0 must be above 0"),
        (lambda: Camera(noise=-1), "camera noise: -1 must be 0 or more"),
        (lambda: Camera(dark=math.nan), "camera dark: nan must be above 0"),
        (lambda: Camera(hot=1.5), r"camera hot: 1\.5 must be at most 1"),
        (lambda: Camera().record([np.full((2, 2), 1.5)], [0]), r"frames: light 1\.5 to 1\.5 must be 0 to 1"),
        (lambda: Camera().record([np.full((2, 2), np.nan)], [0]), "frames: light nan to nan must be 0 to 1"),
        (lambda: Camera().record([], []), "frames: 0 must be 1 or more"),
        (lambda: Camera().record([np.zeros(4)], [0]), r"shape \(1, 4\) must be 1 cameras, height and width"),
        (lambda: Camera().record([np.zeros((2, 2))] * 2, [5, 5]), "times: 5 us must be later than the frame before, 5"),
        (lambda: Camera().record([np.zeros((2, 2)), np.zeros((2, 3))], [0, 1]), "must have the first one's shape"),
    ],
)
def test_wrong_cameras_are_named(make: object, message: str) -> None:
    with pytest.raises(EventError, match=message):
        make()  # type: ignore[operator]
