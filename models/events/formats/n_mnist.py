"""N-MNIST and N-Caltech101 ``.bin``: 40 bits an event, big-endian, of an ATIS sensor.

Byte 0 is x, byte 1 is y, the highest bit of byte 2 the polarity and the other 23 bits the time in
microseconds. A record whose y is 240 is no event but an overflow: the clock has advanced by 2^13 microseconds.
(Orchard et al., Converting static image datasets to spiking neuromorphic datasets using saccades, 2015.)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.events.recording import Policy, Recording, recording

SIZE = (34, 34)
RECORD = 5
OVERFLOW_Y = 240
OVERFLOW_US = 1 << 13


def read(path: Path, policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The recording in an N-MNIST file; ``size`` is the sensor's (height, width), by default 34 x 34."""
    raw = np.fromfile(path, np.uint8)
    whole = len(raw) // RECORD * RECORD
    x, y, high, middle, low = raw[:whole].reshape(-1, RECORD).T
    t = (high & 0x7F).astype(np.int64)
    t <<= 8
    t |= middle
    t <<= 8
    t |= low
    p = high >> 7
    overflow = y == OVERFLOW_Y
    if overflow.any():
        t += OVERFLOW_US * np.cumsum(overflow)
        x, y, t, p = (array[~overflow] for array in (x, y, t, p))
    return recording(path, t, x, y, p, size or SIZE, policy, truncated=int(whole < len(raw)))
