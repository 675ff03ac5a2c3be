"""EVT 3.0, the encoding of Prophesee sensors in 16-bit words that change a state.

Bits 15..12 of a word are its kind. 0 sets y; 8 sets bits 23..12 of the time and clears the others;
6 sets bits 11..0. 2 is an event at its x, with its polarity in bit 11; 3 sets base x and polarity
for vectors. 4 is a vector: a bit for each of the 12 columns from base x on, lowest first, where
there is an event; base x then moves by 12. 5 is the same with 8. All other kinds are passed over.
"""

from __future__ import annotations

import numpy as np

from models.events.formats.clock import latest, unwrapped

ADDRESS_Y, ADDRESS_X, BASE_X, VECTOR_12, VECTOR_8, TIME_LOW, TIME_HIGH = 0, 2, 3, 4, 5, 6, 8
TIME_BITS = 24
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def decode(words: np.ndarray) -> tuple[Columns, int]:
    """(t, x, y, p) of the events, and how many more stood before the first time, y or base x."""
    kind = words >> 12
    value = (words & 0x0FFF).astype(np.int64)
    t, timed = _time(kind, value)
    y, on_row = _held(kind == ADDRESS_Y, value & 0x7FF)
    base, based = _held(kind == BASE_X, value)
    moved = np.where(kind == VECTOR_12, 12, np.where(kind == VECTOR_8, 8, 0))
    before = np.cumsum(moved) - moved
    since, _ = _held(kind == BASE_X, before)

    single, vector = kind == ADDRESS_X, moved > 0
    place = np.flatnonzero(single | vector)
    alone = single[place]
    first = np.where(alone, value[place] & 0x7FF, (base & 0x7FF)[place] + (before - since)[place])
    polarity = np.where(alone, value[place], base[place]) >> 11
    columns = np.where(alone, 1, value[place] & np.where(kind[place] == VECTOR_8, 0xFF, 0xFFF))
    there = (columns[:, None] >> np.arange(12) & 1).astype(bool)
    # a matrix is searched row by row, which is the order in which the sensor sent the events
    row, bit = np.nonzero(there)
    word = place[row]
    placed = (timed & on_row)[word] & (alone[row] | based[word])
    row, bit, word = row[placed], bit[placed], word[placed]
    return (t[word], first[row] + bit, y[word], polarity[row]), int(len(placed) - placed.sum())


def _time(kind: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The time at every word, and whether it is known yet."""
    is_high, is_low = kind == TIME_HIGH, kind == TIME_LOW
    highs = np.zeros(len(kind), np.int64)
    highs[is_high] = unwrapped(value[is_high] << 12, 1 << TIME_BITS)
    high, known = _held(is_high, highs)
    # the low bits hold until the next time word, and a high word clears them
    low, _ = _held(is_high | is_low, np.where(is_low, value, 0))
    return high + low, known


def _held(sets: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At every word the value of the last word that set one, and whether one has; 0 before."""
    number = latest(sets)
    held = np.append(values[sets], 0)
    return held[number], number >= 0
