from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from models.events import EventError
from models.events.camera import Camera
from models.events.saccade import AT_ONCE, Saccades, moved, recordings
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
    found = []
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
            found.append((round(time), int(slope > 0)))
            level = target
            if rest:
                awake = time + rest
                if awake < stop:
                    level = at(awake)
        if awake >= stop:
            level = Fraction(after)
    return found


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("refractory", [0, 1, 700, 6000])
def test_light_becomes_events_as_a_pixel_at_a_time(seed: int, refractory: int) -> None:
    camera = Camera(rise=0.23, fall=0.31, refractory=refractory, dark=0.05, **(QUIET | {"mismatch": 0.2}))
    frames, times = film(seed)
    found = camera.record(frames, times, seed)
    # thresholds are what the camera draws first
    spread = np.maximum(1 + 0.2 * np.random.default_rng(seed).standard_normal((2, frames[0].size)), 0.1)
    wanted: list[Event] = []
    light = np.log(0.05 + 0.95 * frames.reshape(len(frames), -1))
    for pixel in range(frames[0].size):
        y, x = divmod(pixel, frames.shape[2])
        events = slow_pixel(
            times.tolist(), light[:, pixel].tolist(), 0.23 * spread[0, pixel], 0.31 * spread[1, pixel], refractory
        )
        wanted += [(time, x, y, p) for time, p in events]
    wanted.sort(key=lambda event: (event[0], event[2], event[1]))
    assert len(wanted) > 20
    assert rows(found) == wanted


def test_times_of_crossings_lie_between_the_frames() -> None:
    # the logarithm moves by ten thresholds in 1000 us, evenly
    camera = Camera(rise=math.log(10) / 10 - 1e-12, refractory=0, dark=0.1, **QUIET)
    found = camera.record([np.zeros((1, 1)), np.ones((1, 1))], [0, 1000])
    assert rows(found) == [(time, 0, 0, 1) for time in range(100, 1001, 100)]
    darker = camera.record([np.ones((1, 1)), np.zeros((1, 1))], [0, 1000])
    assert set(darker.p.tolist()) == {0}


def test_many_cameras_at_once_are_as_many_recordings() -> None:
    films = [film(seed) for seed in (3, 4, 5)]
    times = films[0][1]
    stacked = [np.stack(frames) for frames in zip(*(frames for frames, _ in films), strict=True)]
    camera = Camera(noise=30)
    found = camera.record_all(stacked, times, [7, 8, 9])
    assert found == [camera.record(frames, times, seed) for (frames, _), seed in zip(films, (7, 8, 9), strict=True)]


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
    found = Camera(noise=5, hot=0, refractory=0).record(still, [0, 10_000_000], 3)
    mean = 5 * 1600 * 10
    assert abs(len(found) - mean) < 4 * math.sqrt(mean)
    assert (found.t.min() >= 0, found.t.max() <= 10_000_000) == (True, True)
    hot = Camera(noise=0, hot=0.01, hot_noise=100, refractory=0).record(still, [0, 10_000_000], 3)
    sites, counts = np.unique(hot.y * 40 + hot.x, return_counts=True)
    assert 4 <= len(sites) <= 32
    assert (abs(counts - 1000) < 5 * math.sqrt(1000)).all()
    assert len(Camera(noise=0, hot=0).record(still, [0, 10_000_000])) == 0


@pytest.mark.parametrize("refractory", [1, 300, 5000])
def test_a_pixel_rests_between_events(refractory: int) -> None:
    frames, times = film(6, 40, 10, 10)
    found = Camera(refractory=refractory, noise=100, hot=0.05, hot_noise=3000).record(frames, times, 7)
    site = found.y.astype(int) * 10 + found.x
    order = np.lexsort((found.t, site))
    gaps = np.diff(found.t[order])[np.diff(site[order]) == 0]
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
        (lambda: Saccades(corners=((0.0, 0.0),)), "corners: .* must be 2 or more"),
        (lambda: Saccades(move=200_000), "move: 200000 us must be 1 to the period, 100000"),
        (lambda: Saccades(step=0), "step: 0 us must be 1 to the move, 80000"),
    ],
)
def test_wrong_cameras_are_named(make: object, message: str) -> None:
    with pytest.raises(EventError, match=message):
        make()  # type: ignore[operator]


def test_saccades_rest_at_their_corners() -> None:
    saccades = Saccades()
    times, places = saccades.times, saccades.positions()
    assert (times[0], times[-1], len(times)) == (0, 300_000, len(places))
    for turn, corner in enumerate([*saccades.corners, saccades.corners[0]]):
        near = np.abs(times - turn * saccades.period) <= (saccades.period - saccades.move) // 2
        assert near.sum() > 5
        assert np.allclose(places[near], corner, atol=1e-12)
    # no way is gone back on, and the path is closed
    assert np.abs(np.diff(places, axis=0)).max() < 0.25
    odd = Saccades(period=70_001, move=50_000, step=3_000)
    assert (np.diff(odd.times) > 0).all()
    assert np.allclose(odd.positions()[-1], odd.corners[0])


@pytest.mark.parametrize("down, right", [(0.0, 0.0), (2.0, -3.0), (0.25, 0.5), (-1.75, 2.4), (40.0, 0.5)])
def test_moving_is_bilinear(down: float, right: float) -> None:
    images = np.random.default_rng(0).random((2, 6, 9))
    found = moved(images, down, right, margin=0.5)

    def light(image: np.ndarray, y: int, x: int) -> float:
        return image[y, x] if 0 <= y < 6 and 0 <= x < 9 else 0.5

    for image, result in zip(images, found, strict=True):
        for y in range(6):
            for x in range(9):
                top, left = math.floor(y - down), math.floor(x - right)
                dy, dx = y - down - top, x - right - left
                wanted = (1 - dy) * ((1 - dx) * light(image, top, left) + dx * light(image, top, left + 1))
                wanted += dy * ((1 - dx) * light(image, top + 1, left) + dx * light(image, top + 1, left + 1))
                assert result[y, x] == pytest.approx(wanted, abs=1e-12)
    if down == int(down) and right == int(right):
        assert set(found.ravel()) <= {0.5, *images.ravel()}


def test_images_become_recordings() -> None:
    rng = np.random.default_rng(0)
    images = (rng.random((AT_ONCE + 3, 7, 9)) < 0.3).astype(float)
    found = list(recordings(images, seed=5))
    assert len(found) == AT_ONCE + 3
    assert all((events.height, events.width) == (7, 9) for events in found)
    saccades = Saccades()
    for number in (0, AT_ONCE, AT_ONCE + 2):
        alone = Camera().record(saccades.frames(images[number]), saccades.times, 5 + number)
        assert found[number] == alone
        assert len(alone) > 100
