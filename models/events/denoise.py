"""Denoising: events without a recent neighbor are removed."""

from __future__ import annotations

import numpy as np

from models.events.recording import EventError, Recording

NEIGHBORS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]


def background_activity(events: Recording, within: int) -> Recording:
    """The recording without isolated events, which are counted in ``dropped`` as ``isolated``.

    An event is isolated unless one of the eight sites around it had an earlier event, isolated or not, at most
    ``within`` microseconds before.

    Parameters
        events  the recording
        within  the longest time to that earlier event in microseconds
    """
    if within < 0:
        raise EventError(f"within: {within} us must be 0 or more")
    return events.select(support_mask(events, within), "isolated")


def support_mask(events: Recording, within: int) -> np.ndarray:
    """bool ``[n]``, true for the events that are not isolated; see ``background_activity``."""
    count = len(events)
    if not count:
        return np.zeros(0, dtype=bool)
    # with a border of one site, a neighbor outside the sensor is a site without events
    wide = events.width + 2
    site = (events.y.astype(np.int64) + 1) * wide + events.x + 1
    # one key per event, ascending by site and then by place in the recording
    order = np.argsort(site, kind="stable")
    site, t = site[order], events.t[order]
    keys = site * count + order
    support = np.zeros(count, dtype=bool)
    for dy, dx in NEIGHBORS:
        away = dy * wide + dx
        # the last earlier event of that neighbor has the last key below the one that this event would have there
        at = np.searchsorted(keys, keys + away * count) - 1
        # at = -1 would wrap to the last key
        support |= (at >= 0) & (site[at] == site + away) & (t - t[at] <= within)
    mask = np.empty(count, dtype=bool)
    mask[order] = support
    return mask
