"""Events as text: the order of the columns, comments, a cut last line, and wrong lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.events import EventError
from models.events.read import read
from tests.models.events.files import Event, random_events, rows, write_file

SIZE = (20, 30)


def text(events: list[Event]) -> bytes:
    return "\n".join(f"{t},{x},{y},{p}" for t, x, y, p in events).encode()


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".CSV"])
def test_lines_are_events(suffix: str, tmp_path: Path) -> None:
    events = random_events(4, 50, *SIZE)
    result = read(write_file(tmp_path / f"a{suffix}", text(events)), size=SIZE)
    assert (rows(result), result.height, result.width) == (events, 20, 30)


def test_a_line_of_names_says_the_order(tmp_path: Path) -> None:
    events = random_events(4, 50, *SIZE)
    lines = ["# a sensor", "x y p t", *(f"{x} {y} {p} {t}" for t, x, y, p in events)]
    assert rows(read(write_file(tmp_path / "b.csv", "\n".join(lines).encode()), size=SIZE)) == events


def test_a_last_line_that_is_cut_is_dropped(tmp_path: Path) -> None:
    events = random_events(4, 50, *SIZE)
    result = read(write_file(tmp_path / "cut.csv", text(events)[:-2]), "drop", SIZE)
    assert (rows(result), result.dropped) == (events[:-1], {"truncated": 1})


@pytest.mark.parametrize(
    "content, size, message",
    [
        (b"1,2,3,0", None, r"a\.csv: text does not say the sensor's size; give size as \(height, width\)$"),
        (b"t,x,y,q\n1,1,1,1", (4, 4), "columns t, x, y, q must be t, x, y, p, in any order$"),
        (b"1,1,b,1\n1,1,1,1", (4, 4), "events must be lines of 4 integers"),
    ],
)
def test_wrong_text_is_named(content: bytes, size: tuple[int, int] | None, message: str, tmp_path: Path) -> None:
    with pytest.raises(EventError, match=message):
        read(write_file(tmp_path / "a.csv", content), size=size)
