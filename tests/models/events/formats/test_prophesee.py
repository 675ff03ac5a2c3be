"""Prophesee's headers, word by word, decoded events, and what is refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from models.events import EventError
from models.events.formats.prophesee import header
from models.events.read import read
from tests.models.events.files import prophesee_header, rows, write_file


def test_a_header_ends_where_it_says_or_where_its_lines_end() -> None:
    head = prophesee_header("Date 2024-01-01 10:00:00", "Geometry 4x3")
    fields = {"date": "2024-01-01 10:00:00", "geometry": "4x3"}
    assert header(head + b"\x25rest") == (fields, len(head))
    ended = head + prophesee_header("end")
    assert header(ended + b"% no key") == (fields, len(ended))
    assert header(b"") == ({}, 0)


@pytest.mark.parametrize(
    "size", ["geometry 5x3", "format EVT2;width=5;height=3", "format EVT2;height=3;width=5", "height 3\n% width 5"]
)
def test_a_header_says_the_size_in_one_of_three_ways(size: str, tmp_path: Path) -> None:
    words = struct.pack("<2I", 8 << 28, 1 << 28 | 7 << 22 | 4 << 11 | 2)
    result = read(write_file(tmp_path / "a.raw", prophesee_header("evt 2.0", size, "end") + words))
    assert (rows(result), result.height, result.width) == ([(7, 4, 2, 1)], 3, 5)


def test_decoded_events_are_read_as_published(tmp_path: Path) -> None:
    head = prophesee_header("Version 2", "Width 1280", "Height 720")
    words = struct.pack("<4I", 5, 1 << 28 | 719 << 14 | 1279, 1 << 31, 0)
    for kind in (0, 12):
        result = read(write_file(tmp_path / "a.dat", head + bytes([kind, 8]) + words))
        assert rows(result) == [(5, 1279, 719, 1), (1 << 31, 0, 0, 0)]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.raw", b"% evt 2.0\n", "names no sensor size; give size"),
        ("a.raw", b"% evt 2.1\n% geometry 4x4\n", "encoding 'EVT 2.1' must be EVT2, EVT3"),
        ("a.raw", b"% evt 3.0\n% geometry 4x4\n% endianness big\n", "endianness 'big' must be 'little'"),
        ("a.dat", b"% Version 2\n% Width 4\n% Height 4\n\x0e\x08", "events of type 14, 8 bytes; valid are"),
        ("a.dat", b"% Version 1\n% Width 4\n% Height 4\n", "encoding 'DAT 1' must be"),
    ],
)
def test_wrong_files_are_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(EventError, match=message):
        read(write_file(tmp_path / name, content))
