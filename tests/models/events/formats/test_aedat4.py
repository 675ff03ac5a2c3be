"""AEDAT 4.0: its packets, a file that is none, and the library that reads it."""

from __future__ import annotations

import builtins
from pathlib import Path

import pytest

from models.events import EventError
from models.events.read import read
from tests.models.events import files
from tests.models.events.files import random_events, rows, write_file


@pytest.mark.parametrize("packet", [1, 7, 100])
def test_packets_of_any_length_make_one_recording(packet: int, tmp_path: Path) -> None:
    events = random_events(1, 50, 12, 17)
    result = read(write_file(tmp_path / "a.aedat4", files.aedat4(events, 12, 17, packet)))
    assert (rows(result), result.height, result.width) == (events, 12, 17)


def test_a_packet_that_is_cut_is_dropped_whole(tmp_path: Path) -> None:
    events = random_events(1, 50, 12, 17)
    path = write_file(tmp_path / "a.aedat4", files.aedat4(events, 12, 17, packet=20)[:-1])
    with pytest.raises(
        EventError, match=r"is not a readable AEDAT 4\.0 file to its end: .*; the packet after event 40$"
    ):
        read(path)
    result = read(path, "drop")
    assert (rows(result), result.dropped) == (events[:40], {"truncated": 1})


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(EventError, match=r"is not a readable AEDAT 4\.0 file: "):
        read(write_file(tmp_path / "a.aedat4", b"#!AER-DAT4.0\r\nabc"))


def test_aedat4_without_its_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "aedat":
            raise ImportError(name)
        return original(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EventError, match=r"pip install 'netweave\[aedat4\]'"):
        read(write_file(tmp_path / "a.aedat4", files.aedat4([(0, 1, 1, 1)], 4, 4)))
