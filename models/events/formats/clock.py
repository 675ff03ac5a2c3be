"""What encodings of a running clock have in common."""

from __future__ import annotations

import numpy as np


def unwrapped(times: np.ndarray, period: int) -> np.ndarray:
    """int64: the times of a clock that begins anew after ``period``, as one that does not.

    The clock began anew where a time lies more than half a period before the one before it. It
    goes back where one lies as far after: an event out of order, from before it began anew.
    """
    times = times.astype(np.int64)
    steps = np.diff(times, prepend=times[:1])
    turns = (steps < -period // 2).astype(np.int64) - (steps > period // 2)
    return times + period * np.cumsum(turns)


def latest(marks: np.ndarray) -> np.ndarray:
    """int64: for each place the number, from 0, of the last mark at or before it; -1 before the first."""
    return np.cumsum(marks, dtype=np.int64) - 1
