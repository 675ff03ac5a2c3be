"""EVT 2.0: any words against a decoder that takes them one at a time."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from models.events.formats import evt2
from models.events.read import read
from tests.models.events import files
from tests.models.events.files import Event, random_events, random_words, rows, write_file


def slow_evt2(words: list[int]) -> tuple[list[Event], int]:
    result: list[Event] = []
    unplaced = turns = 0
    base: int | None = None
    for word in words:
        kind = word >> 28
        if kind == 8:
            high = (word & 0x0FFFFFFF) << 6
            turns += base is not None and base - high > 1 << 33
            turns -= base is not None and high - base > 1 << 33
            base = high
        elif kind < 2 and base is None:
            unplaced += 1
        elif kind < 2:
            assert base is not None
            result.append((base + (turns << 34) + (word >> 22 & 63), word >> 11 & 2047, word & 2047, kind))
    return result, unplaced


@pytest.mark.parametrize("seed", range(20))
def test_any_words_decode_as_one_after_another(seed: int) -> None:
    words = random_words(seed, 32)
    columns, unplaced = evt2.decode(words)
    decoded = list(zip(*(column.tolist() for column in columns), strict=True))
    assert (decoded, unplaced) == slow_evt2(words.tolist())


def test_events_before_the_first_time_are_counted(tmp_path: Path) -> None:
    events = random_events(6, 20, 480, 640)
    early = struct.pack("<2I", 1 << 28 | 3 << 11 | 4, 5 << 11 | 6)
    head = files.prophesee_header("evt 2.0", "geometry 640x480")
    path = write_file(tmp_path / "early.raw", head + early + files.evt2(events))
    result = read(path)
    assert (rows(result), result.dropped) == (events, {"unplaced": 2})
