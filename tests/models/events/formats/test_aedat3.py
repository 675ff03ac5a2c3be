"""AEDAT 3.1: the upper bits of times, the packets that are passed over, and headers."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from models.events import EventError
from models.events.read import read
from tests.models.events import files
from tests.models.events.files import FORMATS, random_events, rows, write_file

HEAD = b"#!AER-DAT3.1\r\n"


def test_a_packet_brings_the_upper_bits_of_its_times(tmp_path: Path) -> None:
    (height, width), _ = FORMATS["gesture.aedat"]
    events = files.around_a_clock(1 << 31, height, width)
    assert rows(read(write_file(tmp_path / "gesture.aedat", files.aedat3(events, packet=1)))) == events


def test_a_size_stands_instead_of_a_source(tmp_path: Path) -> None:
    events = random_events(0, 30, 20, 30)
    result = read(write_file(tmp_path / "a.aedat", files.aedat3(events, "eDVS")), size=(20, 30))
    assert (rows(result), result.height, result.width) == (events, 20, 30)


@pytest.mark.parametrize(
    "content, message",
    [
        (HEAD + b"#Source 1: DVS128\r\n", "must begin with .* and end with"),
        (HEAD + b"#Format: ZIP\r\n#!END-HEADER\r\n", "format 'ZIP' must be 'RAW'"),
        (HEAD + b"#Source 1: eDVS\r\n#!END-HEADER\r\n", "no source in its header is one of DVS128"),
        (
            HEAD + b"#Source 1: DVS128\r\n#!END-HEADER\r\n" + struct.pack("<hh6i", 1, 1, 12, 4, 0, 1, 1, 1),
            r"packet at byte 47: 1 events of 12 bytes; polarity events have 8",
        ),
    ],
)
def test_wrong_files_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(EventError, match=message):
        read(write_file(tmp_path / "a.aedat", content))
