"""EVT 3.0: any words against its state machine, and a clock of 16.8 s."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.events.formats import evt3
from models.events.read import read
from tests.models.events import files
from tests.models.events.files import FORMATS, Event, random_words, rows, write_file


def slow_evt3(words: list[int]) -> tuple[list[Event], int]:
    """The state machine, a word at a time."""
    result: list[Event] = []
    unplaced = turns = low = 0
    high = y = base = polarity = None
    for word in words:
        kind, value = word >> 12, word & 0xFFF
        if kind == 0:
            y = value & 0x7FF
        elif kind == 8:
            turns += high is not None and high - value > 1 << 11
            turns -= high is not None and value - high > 1 << 11
            high, low = value, 0
        elif kind == 6:
            low = value
        elif kind == 3:
            base, polarity = value & 0x7FF, value >> 11
        elif kind == 2:
            if high is None or y is None:
                unplaced += 1
            else:
                result.append((((turns << 12 | high) << 12) + low, value & 0x7FF, y, value >> 11))
        elif kind in (4, 5):
            width = 12 if kind == 4 else 8
            for column in range(width):
                if value >> column & 1:
                    if high is None or y is None or base is None:
                        unplaced += 1
                    else:
                        assert polarity is not None
                        result.append((((turns << 12 | high) << 12) + low, base + column, y, polarity))
            if base is not None:
                base += width
    return result, unplaced


@pytest.mark.parametrize("seed", range(20))
def test_any_words_decode_as_the_state_machine_says(seed: int) -> None:
    words = random_words(seed, 16)
    columns, unplaced = evt3.decode(words)
    decoded = list(zip(*(column.tolist() for column in columns), strict=True))
    assert (decoded, unplaced) == slow_evt3(words.tolist())


def test_a_clock_of_17_seconds_begins_anew(tmp_path: Path) -> None:
    (height, width), write = FORMATS["evt3.raw"]
    events = files.around_a_clock(1 << 24, height, width)
    assert rows(read(write_file(tmp_path / "evt3.raw", write(events)))) == events
