"""Denoising: events that nothing near them supports are left out."""

from __future__ import annotations

import numpy as np

from models.events.recording import EventError, Recording

NEIGHBORS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def background_activity(events: Recording, within: int) -> Recording:
    """Without the events that are alone; how many there were is counted in ``dropped`` as ``isolated``.

    An event stays when an earlier one of the recording, itself kept or not, lies on one of the eight
    sites around its own and is at most ``within`` microseconds older.
    """
    if within < 0:
        raise EventError(f"within: {within} us must be 0 or more")
    return events.select(supported(events, within), "isolated")


def supported(events: Recording, within: int) -> np.ndarray:
    """bool ``[n]``: the events that ``background_activity`` keeps."""
    count = len(events)
    if not count:
        return np.zeros(0, dtype=bool)
    # a border of one site, so that a neighbor outside the sensor is a site without events
    wide = events.width + 2
    site = (events.y.astype(np.int64) + 1) * wide + events.x + 1
    # one key an event, ascending by site and then by place in the recording
    order = np.argsort(site, kind="stable")
    site, t = site[order], events.t[order]
    keys = site * count + order
    found = np.zeros(count, dtype=bool)
    for dy, dx in NEIGHBORS:
        away = dy * wide + dx
        # the last event at that neighbor before this one: its key is the last below this one's, had it been there
        at = np.searchsorted(keys, keys + away * count) - 1
        # at = -1 wraps to the last key, whose site then is another
        found |= (at >= 0) & (site[at] == site + away) & (t - t[at] <= within)
    kept = np.empty(count, dtype=bool)
    kept[order] = found
    return kept
