"""A recording: the events of one sensor in the order of their time, and how invalid events are treated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Literal, get_args

import numpy as np

Policy = Literal["error", "drop"]
"""What happens to invalid events: the first one raises an error, or all are dropped and counted."""
POLICIES: tuple[Policy, ...] = get_args(Policy)
DTYPES = (np.int64, np.int16, np.int16, np.uint8)
MAX_SIDE = np.iinfo(np.int16).max


class EventError(ValueError):
    """Events that cannot be used; the message names file, event, value and what would be valid."""


@dataclass(frozen=True, eq=False)
class Recording:
    """``n`` events of one sensor. The arrays are not checked; ``recording`` checks arrays that may be wrong.

    Parameters
        t        int64 ``[n]``, time in microseconds, never descending
        x        int16 ``[n]``, column
        y        int16 ``[n]``, row
        p        uint8 ``[n]``, polarity: 1 where the light grew, 0 where it fell
        height   rows of the sensor
        width    columns of the sensor
        dropped  number of dropped events by reason: ``truncated``, ``unplaced``, ``unsorted``, ``out of range``, and
                 the reasons of later steps such as denoising
    """

    t: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: np.ndarray
    height: int
    width: int
    dropped: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.t)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Recording)
            and (self.height, self.width) == (other.height, other.width)
            and all(np.array_equal(getattr(self, name), getattr(other, name)) for name in "txyp")
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def duration(self) -> int:
        """Microseconds from the first event to the last; 0 with fewer than two events."""
        return int(self.t[-1] - self.t[0]) if len(self) else 0

    def select(self, which: np.ndarray | slice, why: str | None = None) -> Recording:
        """The selected events.

        Parameters
            which  a bool mask, ascending indices or a slice
            why    reason under which the other events are counted as dropped; None does not count them
        """
        selected = replace(self, t=self.t[which], x=self.x[which], y=self.y[which], p=self.p[which])
        lost = len(self) - len(selected)
        return replace(selected, dropped=add_dropped(self.dropped, why, lost)) if why and lost else selected


def add_dropped(dropped: Mapping[str, int], why: str, count: int) -> dict[str, int]:
    """``dropped`` with ``count`` more events for the reason ``why``."""
    return {**dropped, why: dropped.get(why, 0) + count} if count else dict(dropped)


def recording(
    source: str | PathLike[str],
    t: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    p: np.ndarray,
    size: tuple[int, int],
    policy: Policy = "error",
    truncated: int = 0,
    unplaced: int = 0,
) -> Recording:
    """A recording from integer arrays of any width, which are checked.

    An event is invalid if it lies outside the sensor, if its polarity is not 0 or 1, or if its time is earlier than
    that of an earlier valid event. Under ``error`` the first invalid event raises an error, one out of range before one
    out of order, and so does a recording without events. Under ``drop`` invalid events are dropped and counted, and a
    recording may be empty.

    Parameters
        source     what messages call the arrays, such as a path
        t          times in microseconds
        x          columns
        y          rows
        p          polarities
        size       (height, width) of the sensor
        policy     what happens to invalid events
        truncated  number of events that the file begins but does not complete
        unplaced   number of events before the file's first time or row, as where recording began while the sensor
                   ran; they are counted under either policy
    """
    height, width = size
    if policy not in POLICIES:
        raise EventError(f"policy: {policy!r} must be one of {', '.join(POLICIES)}")
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise EventError(f"{source}: size {height} x {width}: both sides must be 1 to {MAX_SIDE}")
    dropped = add_dropped({}, "unplaced", unplaced)
    if truncated:
        if policy == "error":
            raise EventError(f"{source}: event {len(t)}: is cut off where the file ends; whole events are valid")
        dropped = add_dropped(dropped, "truncated", truncated)
    if not len(t):
        if policy == "error":
            raise EventError(f"{source}: holds no event; one or more are valid")
        return _cast(t, x, y, p, size, dropped)
    limits = {"x": (x, width - 1), "y": (y, height - 1), "p": (p, 1)}
    if not all(_inside(values, limit) for values, limit in limits.values()):
        wrong = np.logical_or.reduce([(values < 0) | (values > limit) for values, limit in limits.values()])
        if policy == "error":
            first = int(np.argmax(wrong))
            name, value, limit = next((n, v[first], m) for n, (v, m) in limits.items() if not 0 <= v[first] <= m)
            raise EventError(f"{source}: event {first}: {name} is {value}; valid is 0 to {limit}")
        dropped = add_dropped(dropped, "out of range", int(wrong.sum()))
        t, x, y, p = (array[~wrong] for array in (t, x, y, p))
    early = t[1:] < t[:-1]
    if early.any():
        if policy == "error":
            first = int(np.argmax(early)) + 1
            before = t[first - 1]
            why = f"earlier than event {first - 1}; valid is {before} or later"
            raise EventError(f"{source}: event {first}: t is {t[first]} us, {why}")
        in_order = t >= np.maximum.accumulate(t)
        dropped = add_dropped(dropped, "unsorted", int(len(t) - in_order.sum()))
        t, x, y, p = (array[in_order] for array in (t, x, y, p))
    return _cast(t, x, y, p, size, dropped)


def _inside(values: np.ndarray, limit: int) -> bool:
    return bool(values.max() <= limit and (values.dtype.kind == "u" or values.min() >= 0))


def _cast(
    t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray, size: tuple[int, int], dropped: dict[str, int]
) -> Recording:
    t, x, y, p = (array.astype(kind, copy=False) for array, kind in zip((t, x, y, p), DTYPES, strict=True))
    return Recording(t, x, y, p, *size, dropped)
