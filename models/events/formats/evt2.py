"""EVT 2.0, the encoding of Prophesee sensors in 32-bit words.

Bits 31..28 of a word are its kind. A change of light (0 down, 1 up) has the lowest 6 bits of its
time in bits 27..22, x in 21..11 and y in 10..0; a time word (8) has the other 28 bits of time.
All other kinds are skipped.
"""

from __future__ import annotations

import numpy as np

from models.events.formats.clock import latest, unwrapped

DOWN, UP, TIME_HIGH = 0, 1, 8
TIME_BITS = 34
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def decode(words: np.ndarray) -> tuple[Columns, int]:
    """(t, x, y, p) of the events, and the number of events before the first time word, which have no time."""
    kind = words >> 28
    is_time = kind == TIME_HIGH
    highs = (words[is_time] & 0x0FFFFFFF).astype(np.int64) << 6
    highs = unwrapped(highs, 1 << TIME_BITS)
    number = latest(is_time)
    is_event = kind <= UP
    timed = is_event & (number >= 0)
    events, of_time = words[timed], number[timed]
    base = highs[of_time] if len(highs) else np.zeros(0, np.int64)
    t = base + (events >> 22 & 0x3F)
    return (t, events >> 11 & 0x7FF, events & 0x7FF, events >> 28), int(is_event.sum() - timed.sum())
