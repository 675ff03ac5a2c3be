"""Clocks of few bits, which wrap around."""

from __future__ import annotations

import numpy as np


def unwrapped(times: np.ndarray, period: int) -> np.ndarray:
    """int64: the times of a clock that wraps around, made continuous.

    A time that lies more than half a period before the previous one is from after a wrap. A time that lies more than
    half a period after the previous one is an event out of order, from before the wrap.

    Parameters
        times   times as the clock shows them
        period  the clock shows times modulo this number, which is even
    """
    times = times.astype(np.int64)
    steps = np.diff(times, prepend=times[:1])
    turns = (steps < -period // 2).astype(np.int64) - (steps > period // 2)
    return times + period * np.cumsum(turns)


def latest(marks: np.ndarray) -> np.ndarray:
    """int64: for each position the index of the last mark at or before it among all marks; -1 before the first."""
    return np.cumsum(marks, dtype=np.int64) - 1
