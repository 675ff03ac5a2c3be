"""Windows of a recording: by time or by number of events."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.events.recording import EventError, Recording


def between(events: Recording, start: int, stop: int) -> Recording:
    """The events at ``start`` or later and before ``stop``, in microseconds."""
    first, last = np.searchsorted(events.t, (start, stop))
    return events.select(slice(int(first), int(max(first, last))))


def by_time(events: Recording, length: int, step: int | None = None, start: int | None = None) -> Iterator[Recording]:
    """Windows of equal length. The last one begins at or before the last event; any may be empty.

    Parameters
        events  the recording
        length  length of a window in microseconds
        step    microseconds from the start of one window to that of the next; by default ``length``
        start   start of the first window in microseconds; by default the time of the first event
    """
    step = length if step is None else step
    for name, value in (("length", length), ("step", step)):
        if value < 1:
            raise EventError(f"{name}: {value} us must be 1 or more")
    if not len(events):
        return
    begin = int(events.t[0]) if start is None else start
    for at in range(begin, int(events.t[-1]) + 1, step):
        yield between(events, at, at + length)


def by_count(events: Recording, count: int, step: int | None = None) -> Iterator[Recording]:
    """Windows of as many events each, without an incomplete one at the end.

    Parameters
        events  the recording
        count   events of a window
        step    events from the start of one window to that of the next; by default ``count``
    """
    step = count if step is None else step
    for name, value in (("count", count), ("step", step)):
        if value < 1:
            raise EventError(f"{name}: {value} events must be 1 or more")
    for first in range(0, len(events) - count + 1, step):
        yield events.select(slice(first, first + count))
