"""Denoising against a search of every event's neighbours."""

from __future__ import annotations

import pytest

from models.events import EventError
from models.events.denoise import background_activity
from tests.models.events.files import random_recording, rows


@pytest.mark.parametrize("height, width", [(1, 1), (1, 9), (6, 5), (3, 200)])
@pytest.mark.parametrize("count", [0, 1, 2, 300])
@pytest.mark.parametrize("within", [0, 10, 3000])
def test_background_activity(height: int, width: int, count: int, within: int) -> None:
    events = random_recording(count, count, height, width)
    last: dict[tuple[int, int], int] = {}
    expected = []
    for t, x, y, p in rows(events):
        around = [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
        if any(site in last and t - last[site] <= within for site in around):
            expected.append((t, x, y, p))
        last[y, x] = t
    result = background_activity(events, within)
    assert rows(result) == expected
    assert result.dropped.get("isolated", 0) == len(events) - len(expected)


def test_a_negative_time_is_named() -> None:
    with pytest.raises(EventError, match=r"^within: -1 us must be 0 or more$"):
        background_activity(random_recording(0, 20, 4, 4), -1)
