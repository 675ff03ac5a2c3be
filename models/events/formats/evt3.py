"""EVT 3.0, the encoding of Prophesee sensors in 16-bit words that change a state.

Bits 15..12 of a word are its kind. 0 sets y; 8 sets bits 23..12 of the time and clears the others;
6 sets bits 11..0. 2 is an event at its x, with its polarity in bit 11; 3 sets base x and polarity
for vectors. 4 is a vector: a bit for each of the 12 columns from base x on, lowest first, where
there is an event; base x then moves by 12. 5 is the same with 8. All other kinds are skipped.
"""

from __future__ import annotations

import numpy as np

from models.events.formats.clock import latest, unwrapped

ADDRESS_Y, ADDRESS_X, BASE_X, VECTOR_12, VECTOR_8, TIME_LOW, TIME_HIGH = 0, 2, 3, 4, 5, 6, 8
TIME_BITS = 24
MOVES = np.zeros(16, np.int64)
MOVES[[VECTOR_12, VECTOR_8]] = 12, 8
Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def decode(words: np.ndarray) -> tuple[Columns, int]:
    """(t, x, y, p) of the events, and the number of events before the first time, y or base x."""
    kind, value = words >> 12, words & 0x0FFF
    moves = MOVES[kind]
    is_vector = moves > 0
    place = np.flatnonzero((kind == ADDRESS_X) | is_vector)
    t, timed = _time(kind, value, place)
    y, on_row = _state_at(kind == ADDRESS_Y, value, place)
    base, based = _state_at(kind == BASE_X, value, place)
    before = np.cumsum(moves) - moves
    since, _ = _state_at(kind == BASE_X, before, place)

    vector = is_vector[place]
    of_x = np.where(vector, base, value[place])
    first, polarity = (of_x & 0x7FF) + np.where(vector, before[place] - since, 0), of_x >> 11
    columns = np.where(vector, value[place] & np.where(kind[place] == VECTOR_8, 0xFF, 0xFFF), 1)
    complete = timed & on_row & (based | ~vector)
    word, bit = _bits(columns)
    has_place = complete[word]
    word, bit = word[has_place], bit[has_place]
    return (t[word], first[word] + bit, y[word] & 0x7FF, polarity[word]), int(len(has_place) - has_place.sum())


def _bits(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The index of the word and of the bit of every 1, in the order of the words, lowest bits first."""
    counts = np.bitwise_count(columns)
    word = np.repeat(np.arange(len(columns)), counts)
    bit = np.zeros(len(word), np.int64)
    several = np.flatnonzero(columns != 1)
    # np.nonzero goes through a matrix row by row
    bit[(columns != 1)[word]] = np.nonzero(columns[several, None] >> np.arange(12) & 1)[1]
    return word, bit


def _time(kind: np.ndarray, value: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The time at each place, and whether it is known yet."""
    is_high, is_low = kind == TIME_HIGH, kind == TIME_LOW
    number = latest(is_high)[place]
    highs = unwrapped(value[is_high].astype(np.int64) << 12, 1 << TIME_BITS)
    # the low bits hold until the next time word, and a high word clears them
    low, _ = _state_at(is_high | is_low, np.where(is_low, value, 0), place)
    return np.append(highs, 0)[number] + low, number >= 0


def _state_at(sets: np.ndarray, values: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The value of the last setting word before each place, and whether there is one; 0 where there is none."""
    number = latest(sets)[place]
    return np.append(values[sets], 0).astype(np.int64)[number], number >= 0
