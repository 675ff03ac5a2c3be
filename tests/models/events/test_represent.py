from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from models.events import EventError, Recording, recording
from models.events.denoise import background_activity
from models.events.represent import binned, downscaled, esda_voxel_grid, histogram, time_surface, voxel_grid
from tests.models.events.files import random_events, rows

SIZES = [(1, 1), (1, 9), (6, 5), (3, 200)]


def made(seed: int, count: int, height: int, width: int, longest: int = 2000) -> Recording:
    t, x, y, p = np.array(random_events(seed, count, height, width, longest), np.int64).reshape(-1, 4).T
    return recording("test", t, x, y, p, (height, width), "drop")


def clip(value: int, most: int) -> int:
    return max(-most, min(most, value))


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("count", [0, 1, 30, 500])
@pytest.mark.parametrize("most", [1, 3, 255])
def test_histogram(height: int, width: int, count: int, most: int) -> None:
    events = made(count, count, height, width)
    wanted = np.zeros((2, height, width), int)
    for _, x, y, p in rows(events):
        wanted[p, y, x] += 1
    found = histogram(events, most)
    assert found.dtype == np.uint8
    assert np.array_equal(found, np.minimum(wanted, most))


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("count", [0, 1, 30, 500])
@pytest.mark.parametrize("bins, steps", [(1, 1), (1, 16), (2, 1), (3, 16), (5, 3)])
@pytest.mark.parametrize("whole", [True, False])
def test_voxel_grid(height: int, width: int, count: int, bins: int, steps: int, whole: bool) -> None:
    events = made(count, count, height, width)
    plain = rows(events)
    start, stop = (plain[0][0], plain[-1][0]) if plain else (0, 1)
    if not whole:
        start, stop = start - 100, stop + 333
    wanted = np.zeros((bins, height, width), int)
    for t, x, y, p in plain:
        place = Fraction((t - start) * (bins - 1), max(stop - start, 1))
        # in steps from the first centre; halves up
        at = math.floor(place * steps + Fraction(1, 2))
        for number in range(bins):
            wanted[number, y, x] += (2 * p - 1) * max(0, steps - abs(at - number * steps))
    found = voxel_grid(events, bins, None if whole else (start, stop), steps, most=20)
    assert found.dtype == np.int8
    assert found.tolist() == [[[clip(v, 20) for v in row] for row in plane] for plane in wanted.tolist()]
    sign_sum = sum(2 * p - 1 for *_, p in plain)
    assert wanted.sum() == steps * sign_sum, "an event's shares add up to steps"


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("count", [0, 1, 30, 500])
@pytest.mark.parametrize("bins", [1, 2, 3, 7])
def test_esda_voxel_grid(height: int, width: int, count: int, bins: int) -> None:
    """An event for every bin, in rationals: its share falls linearly with the distance from the bin's own time."""
    events = made(count, count, height, width)
    plain = rows(events)
    wanted = [[[Fraction(0)] * width for _ in range(height)] for _ in range(bins)]
    for t, x, y, p in plain:
        place = Fraction(bins * (t - plain[0][0]), max(plain[-1][0] - plain[0][0], 1))
        for number in range(bins):
            wanted[number][y][x] += (2 * p - 1) * max(Fraction(0), 1 - abs(place - number))
    found = esda_voxel_grid(events, bins)
    assert found.dtype == np.float64
    assert found.tolist() == [[[float(value) for value in row] for row in plane] for plane in wanted]


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
    events = made(count, count, height, width)
    plain = rows(events)
    wanted = np.zeros((bins, height, width), int)
    for t, x, y, p in plain:
        share = Fraction(t - plain[0][0], max(plain[-1][0] - plain[0][0], 1))
        wanted[min(math.floor(share * bins), bins - 1), y, x] += 2 * p - 1
    found = binned(events, bins, most=4)
    assert found.tolist() == [[[clip(v, 4) for v in row] for row in plane] for plane in wanted.tolist()]


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("count", [0, 1, 30, 500])
@pytest.mark.parametrize("later", [0, 5000])
def test_time_surface(height: int, width: int, count: int, later: int) -> None:
    events = made(count, count, height, width)
    plain = rows(events)
    now = plain[-1][0] + later if plain else later
    wanted = np.zeros((2, height, width), int)
    for t, x, y, p in plain:
        wanted[p, y, x] = round(200 * math.exp(-(now - t) / 3000))
    found = time_surface(events, 3000, now, most=200)
    assert found.dtype == np.uint8
    assert np.array_equal(found, wanted)
    if later == 0:
        assert np.array_equal(time_surface(events, 3000, most=200), wanted)


@pytest.mark.parametrize("factor", [1, 2, 8, 300])
def test_downscaling_loses_no_event(factor: int) -> None:
    events = made(1, 300, 13, 200)
    found = downscaled(events, factor)
    assert rows(found) == [(t, x // factor, y // factor, p) for t, x, y, p in rows(events)]
    assert (found.height, found.width) == (math.ceil(13 / factor), math.ceil(200 / factor))
    assert histogram(found, 255).sum() <= 300


@pytest.mark.parametrize("height, width", SIZES)
@pytest.mark.parametrize("count", [0, 1, 2, 300])
@pytest.mark.parametrize("within", [0, 10, 3000])
def test_background_activity(height: int, width: int, count: int, within: int) -> None:
    events = made(count, count, height, width)
    last: dict[tuple[int, int], int] = {}
    kept = []
    for t, x, y, p in rows(events):
        around = [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
        if any(site in last and t - last[site] <= within for site in around):
            kept.append((t, x, y, p))
        last[y, x] = t
    found = background_activity(events, within)
    assert rows(found) == kept
    assert found.dropped.get("isolated", 0) == len(events) - len(kept)


def test_what_cannot_be_represented_is_named() -> None:
    events = made(0, 20, 4, 4)
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
        (lambda: background_activity(events, -1), "within: -1 us must be 0 or more"),
    ):
        with pytest.raises(EventError, match=message):
            make()
