"""Images of events against sums over every event, in integers and rationals."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from models.events import EventError, recording
from models.events.represent import binned, downscaled, esda_voxel_grid, histogram, time_surface, voxel_grid
from tests.models.events.files import random_recording, rows

SIZES = [(1, 1), (1, 9), (6, 5), (3, 200)]


def clip(value: int, most: int) -> int:
    return max(-most, min(most, value))


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("count", [0, 1, 30, 500])
@pytest.mark.parametrize("most", [1, 3, 255])
def test_histogram(height: int, width: int, count: int, most: int) -> None:
    events = random_recording(count, count, height, width)
    expected = np.zeros((2, height, width), int)
    for _, x, y, p in rows(events):
        expected[p, y, x] += 1
    result = histogram(events, most)
    assert result.dtype == np.uint8
    assert np.array_equal(result, np.minimum(expected, most))


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("count", [0, 1, 30, 500])
@pytest.mark.parametrize("bins, steps", [(1, 1), (1, 16), (2, 1), (3, 16), (5, 3)])
@pytest.mark.parametrize("whole", [True, False])
def test_voxel_grid(height: int, width: int, count: int, bins: int, steps: int, whole: bool) -> None:
    events = random_recording(count, count, height, width)
    plain = rows(events)
    start, stop = (plain[0][0], plain[-1][0]) if plain else (0, 1)
    if not whole:
        start, stop = start - 100, stop + 333
    expected = np.zeros((bins, height, width), int)
    for t, x, y, p in plain:
        place = Fraction((t - start) * (bins - 1), max(stop - start, 1))
        # in steps from the first centre; halves up
        at = math.floor(place * steps + Fraction(1, 2))
        for number in range(bins):
            expected[number, y, x] += (2 * p - 1) * max(0, steps - abs(at - number * steps))
    result = voxel_grid(events, bins, None if whole else (start, stop), steps, most=20)
    assert result.dtype == np.int8
    assert result.tolist() == [[[clip(v, 20) for v in row] for row in plane] for plane in expected.tolist()]
    sign_sum = sum(2 * p - 1 for *_, p in plain)
    assert expected.sum() == steps * sign_sum, "an event's shares add up to steps"


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("count", [0, 1, 30, 500])
@pytest.mark.parametrize("bins", [1, 2, 3, 7])
def test_esda_voxel_grid(height: int, width: int, count: int, bins: int) -> None:
    """An event for every bin, in rationals: its share falls linearly with the distance from the bin's own time."""
    events = random_recording(count, count, height, width)
    plain = rows(events)
    expected = [[[Fraction(0)] * width for _ in range(height)] for _ in range(bins)]
    for t, x, y, p in plain:
        place = Fraction(bins * (t - plain[0][0]), max(plain[-1][0] - plain[0][0], 1))
        for number in range(bins):
            expected[number][y][x] += (2 * p - 1) * max(Fraction(0), 1 - abs(place - number))
    result = esda_voxel_grid(events, bins)
    assert result.dtype == np.float64
    assert result.tolist() == [[[float(value) for value in row] for row in plane] for plane in expected]


def test_esda_voxel_grid_is_not_the_centred_one() -> None:
    """Four events 100 us apart, of one site: the last is lost, and bin 2 of 3 has the third whole."""
    t, zeros = np.array([1000, 1100, 1200, 1300]), np.zeros(4, np.int64)
    events = recording("test", t, zeros, zeros, np.ones(4, np.int64), (1, 1))
    assert esda_voxel_grid(events, 3).ravel().tolist() == [1, 1, 1]
    assert (voxel_grid(events, 3, steps=30).ravel() / 30).tolist() == [4 / 3, 4 / 3, 4 / 3]
    # between two bins, and one that is lost in part
    late = recording("test", np.array([0, 125, 250, 300]), zeros, zeros, np.array([1, 0, 1, 1]), (1, 1))
    assert esda_voxel_grid(late, 3).ravel().tolist() == [1, -0.75, 0.25]


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("count", [0, 1, 30, 500])
@pytest.mark.parametrize("bins", [1, 2, 7])
def test_binned(height: int, width: int, count: int, bins: int) -> None:
    events = random_recording(count, count, height, width)
    plain = rows(events)
    expected = np.zeros((bins, height, width), int)
    for t, x, y, p in plain:
        share = Fraction(t - plain[0][0], max(plain[-1][0] - plain[0][0], 1))
        expected[min(math.floor(share * bins), bins - 1), y, x] += 2 * p - 1
    result = binned(events, bins, most=4)
    assert result.tolist() == [[[clip(v, 4) for v in row] for row in plane] for plane in expected.tolist()]


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("count", [0, 1, 30, 500])
@pytest.mark.parametrize("later", [0, 5000])
def test_time_surface(height: int, width: int, count: int, later: int) -> None:
    events = random_recording(count, count, height, width)
    plain = rows(events)
    now = plain[-1][0] + later if plain else later
    expected = np.zeros((2, height, width), int)
    for t, x, y, p in plain:
        expected[p, y, x] = round(200 * math.exp(-(now - t) / 3000))
    result = time_surface(events, 3000, now, most=200)
    assert result.dtype == np.uint8
    assert np.array_equal(result, expected)
    if later == 0:
        assert np.array_equal(time_surface(events, 3000, most=200), expected)


@pytest.mark.parametrize("factor", [1, 2, 8, 300])
def test_downscaling_loses_no_event(factor: int) -> None:
    events = random_recording(1, 300, 13, 200)
    result = downscaled(events, factor)
    assert rows(result) == [(t, x // factor, y // factor, p) for t, x, y, p in rows(events)]
    assert (result.height, result.width) == (math.ceil(13 / factor), math.ceil(200 / factor))
    assert histogram(result, 255).sum() <= 300


def test_what_cannot_be_represented_is_named() -> None:
    events = random_recording(0, 20, 4, 4)
    last = int(events.t[-1])
    for make, message in (
        (lambda: histogram(events, 256), "most: 256 must be 1 to 255"),
        (lambda: histogram(events, 0), "most: 0 must be 1 to 255"),
        (lambda: voxel_grid(events, 0), "bins: 0 must be 1 or more"),
        (lambda: esda_voxel_grid(events, 0), "bins: 0 must be 1 or more"),
        (lambda: voxel_grid(events, 3, steps=0), "steps: 0 must be 1 or more"),
        (lambda: voxel_grid(events, 3, most=128), "most: 128 must be 1 to 127"),
        (
            lambda: voxel_grid(events, 3, (0, last - 1)),
            f"span: 0 to {last - 1} us must hold all events, 0 to {last} us",
        ),
        (lambda: time_surface(events, 0), "decay: 0 must be 1 or more"),
        (
            lambda: time_surface(events, 5, last - 1),
            f"now: {last - 1} us must be at or after the last event, {last} us",
        ),
        (lambda: downscaled(events, 0), "factor: 0 must be 1 or more"),
    ):
        with pytest.raises(EventError, match=message):
            make()
