"""A recording: the events of one sensor in the order of their time, and how wrong input becomes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Literal, get_args

import numpy as np

Policy = Literal["error", "drop"]
"""What becomes of events that cannot be right: the first one raises, or all are left out and counted."""
POLICIES: tuple[Policy, ...] = get_args(Policy)
KINDS = (np.int64, np.int16, np.int16, np.uint8)
MAX_SIDE = np.iinfo(np.int16).max


class EventError(ValueError):
    """Events that cannot be used; the message names file, event, value and what would be valid."""


@dataclass(frozen=True, eq=False)
class Recording:
    """``n`` events of a ``height`` x ``width`` sensor.

    ``t``: int64 microseconds, never descending. ``x``, ``y``: int16 column and row.
    ``p``: uint8 polarity, 1 where the light grew and 0 where it fell.
    ``dropped``: how many events were left out, by why: ``truncated``, ``unplaced``,
    ``unsorted``, ``out of range``, and what later steps such as denoising left out.

    The arrays are taken as they are; ``recording`` makes one from arrays that may be wrong.
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
        """The events that a bool mask, ascending indices or a slice name; the rest counted as dropped under ``why``."""
        kept = replace(self, t=self.t[which], x=self.x[which], y=self.y[which], p=self.p[which])
        lost = len(self) - len(kept)
        return replace(kept, dropped=counted(self.dropped, why, lost)) if why and lost else kept


def counted(dropped: Mapping[str, int], why: str, count: int) -> dict[str, int]:
    """``dropped`` with ``count`` more events under ``why``."""
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
    """A recording from integer arrays of any width, checked; ``source`` is what messages call them.

    ``size``: the sensor's (height, width). ``truncated``: events that the file begins but does not
    hold whole. ``unplaced``: events before the file's first word of time or place, as where a sensor
    already ran when recording began; they are counted under either policy.

    Under ``error`` the first event that is outside the sensor or has a polarity other than 0 and 1
    raises; where none is, the first with an earlier time than the one before it; and a recording
    without events does. Under ``drop`` such events are left out, the earlier ones being those before
    the latest so far, and counted; no event at all is then a recording like any other.
    """
    height, width = size
    if policy not in POLICIES:
        raise EventError(f"policy: {policy!r} must be one of {', '.join(POLICIES)}")
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise EventError(f"{source}: size {height} x {width}: both sides must be 1 to {MAX_SIDE}")
    dropped = counted({}, "unplaced", unplaced)
    if truncated:
        if policy == "error":
            raise EventError(f"{source}: event {len(t)}: is cut off where the file ends; whole events are valid")
        dropped = counted(dropped, "truncated", truncated)
    if not len(t):
        if policy == "error":
            raise EventError(f"{source}: holds no event; one or more are valid")
        return _narrow(t, x, y, p, size, dropped)
    limits = {"x": (x, width - 1), "y": (y, height - 1), "p": (p, 1)}
    if not all(_inside(values, limit) for values, limit in limits.values()):
        wrong = np.logical_or.reduce([(values < 0) | (values > limit) for values, limit in limits.values()])
        if policy == "error":
            first = int(np.argmax(wrong))
            name, value, limit = next((n, v[first], m) for n, (v, m) in limits.items() if not 0 <= v[first] <= m)
            raise EventError(f"{source}: event {first}: {name} is {value}; valid is 0 to {limit}")
        dropped = counted(dropped, "out of range", int(wrong.sum()))
        t, x, y, p = (array[~wrong] for array in (t, x, y, p))
    early = t[1:] < t[:-1]
    if early.any():
        if policy == "error":
            first = int(np.argmax(early)) + 1
            before = t[first - 1]
            why = f"earlier than event {first - 1}; valid is {before} or later"
            raise EventError(f"{source}: event {first}: t is {t[first]} us, {why}")
        kept = t >= np.maximum.accumulate(t)
        dropped = counted(dropped, "unsorted", int(len(t) - kept.sum()))
        t, x, y, p = (array[kept] for array in (t, x, y, p))
    return _narrow(t, x, y, p, size, dropped)


def _inside(values: np.ndarray, limit: int) -> bool:
    return bool(values.max() <= limit and (values.dtype.kind == "u" or values.min() >= 0))


def _narrow(
    t: np.ndarray, x: np.ndarray, y: np.ndarray, p: np.ndarray, size: tuple[int, int], dropped: dict[str, int]
) -> Recording:
    t, x, y, p = (array.astype(kind, copy=False) for array, kind in zip((t, x, y, p), KINDS, strict=True))
    return Recording(t, x, y, p, *size, dropped)
