"""Images of counts, against counting one event after the other."""

from __future__ import annotations

import numpy as np
import pytest

from models.data.counts import Counts
from models.events.recording import recording
from models.ir.formats.integer import IntType
from tests.models.events import files


@pytest.mark.parametrize("most, width", [(1, 2), (3, 2), (7, 3), (15, 4), (255, 8)])
def test_counts_fit_their_format(most: int, width: int) -> None:
    counts = Counts(most=most)
    assert counts.dtype == IntType(width, signed=False)
    assert 1 <= most * counts.scale < 2
    t, x, y, p = np.array(files.random_events(0, 3000, 4, 4, 30)).T
    image = counts.image(recording("test", t, x, y, p, (4, 4)))
    assert image.max() <= most
    assert np.array_equal(counts.floats(image) / np.float32(counts.scale), image)


@pytest.mark.parametrize("within", [None, 300])
@pytest.mark.parametrize("first", [None, 40])
def test_an_image_counts_the_events_of_its_window(within: int | None, first: int | None) -> None:
    """One event after the other: in the window, then with a neighbour of the window shortly before, then the first."""
    events = files.random_events(1, 400, 6, 5, 400)
    window = [event for event in events if 2_000 <= event[0] < 9_000]
    assert 100 < len(window) < len(events)

    def supported(number: int) -> bool:
        t, x, y, _ = window[number]
        return any(
            t - before <= (within or 0) and (v, w) != (x, y) and max(abs(v - x), abs(w - y)) == 1
            for before, v, w, _ in window[:number]
        )

    expected = np.zeros((2, 6, 5), int)
    for number in [n for n in range(len(window)) if within is None or supported(n)][:first]:
        _, x, y, p = window[number]
        expected[p, y, x] = min(expected[p, y, x] + 1, 3)
    image = Counts(2_000, 9_000, within, 3, first).image(files.recording_of(events, 6, 5))
    assert image.dtype == np.uint8
    assert np.array_equal(image, expected)
    assert first or within or (expected == 3).any()
