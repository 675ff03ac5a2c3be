"""Saccades: where they rest, how images move, and what a camera records of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from models.events import EventError
from models.events.camera import Camera
from models.events.saccade import BATCH, Saccades, recordings, translate


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
    result = translate(images, down, right, margin=0.5)

    def light(image: np.ndarray, y: int, x: int) -> float:
        return image[y, x] if 0 <= y < 6 and 0 <= x < 9 else 0.5

    for image, shifted in zip(images, result, strict=True):
        for y in range(6):
            for x in range(9):
                top, left = math.floor(y - down), math.floor(x - right)
                dy, dx = y - down - top, x - right - left
                expected = (1 - dy) * ((1 - dx) * light(image, top, left) + dx * light(image, top, left + 1))
                expected += dy * ((1 - dx) * light(image, top + 1, left) + dx * light(image, top + 1, left + 1))
                assert shifted[y, x] == pytest.approx(expected, abs=1e-12)
    if down == int(down) and right == int(right):
        assert set(result.ravel()) <= {0.5, *images.ravel()}


def test_images_become_recordings() -> None:
    rng = np.random.default_rng(0)
    images = (rng.random((BATCH + 3, 7, 9)) < 0.3).astype(float)
    result = list(recordings(images, seed=5))
    assert len(result) == BATCH + 3
    assert all((events.height, events.width) == (7, 9) for events in result)
    saccades = Saccades()
    for number in (0, BATCH, BATCH + 2):
        alone = Camera().record(saccades.frames(images[number]), saccades.times, 5 + number)
        assert result[number] == alone
        assert len(alone) > 100


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Saccades(corners=((0.0, 0.0),)), "corners: .* must be 2 or more"),
        (lambda: Saccades(move=200_000), "move: 200000 us must be 1 to the period, 100000"),
        (lambda: Saccades(step=0), "step: 0 us must be 1 to the move, 80000"),
    ],
)
def test_wrong_saccades_are_named(make: Callable[[], Saccades], message: str) -> None:
    with pytest.raises(EventError, match=message):
        make()
