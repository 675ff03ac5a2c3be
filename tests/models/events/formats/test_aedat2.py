"""AEDAT 2.0: where rows are counted from, a clock that begins anew, and the chip."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from models.events import EventError
from models.events.formats import aedat2
from models.events.read import read
from tests.models.events import files
from tests.models.events.files import FORMATS, rows, write_file


def test_a_dvs128_counts_rows_from_the_bottom(tmp_path: Path) -> None:
    record = struct.pack(">II", 3 << 8 | 10 << 1 | 1, 77)
    path = write_file(tmp_path / "a.aedat", b"#!AER-DAT2.0\r\n# AEChip: x.DVS128\r\n" + record)
    assert rows(aedat2.read(path)) == [(77, 10, 124, 1)]


def test_a_clock_of_71_minutes_begins_anew(tmp_path: Path) -> None:
    (height, width), write = FORMATS["davis.aedat"]
    events = files.around_a_clock(1 << 32, height, width)
    assert rows(read(write_file(tmp_path / "davis.aedat", write(events)))) == events


def test_a_davis_address_is_read_as_published(tmp_path: Path) -> None:
    """By hand: y 179 is the top row; a sample of a picture and another signal are passed over."""
    words = (179 << 22 | 239 << 12 | 1 << 11, 5, 1 << 31, 6, 1 << 10 | 7 << 12, 7, 3 << 12, 8)
    head = b"#!AER-DAT2.0\r\n# AEChip: eu.seebetter.ini.chips.davis.DAVIS240C\r\n"
    path = write_file(tmp_path / "a.aedat", head + struct.pack(">8I", *words))
    assert rows(aedat2.read(path)) == [(5, 239, 0, 1), (8, 3, 179, 0)]


@pytest.mark.parametrize(
    "content, message",
    [
        (b"#!AER-DAT3.1\r\n", r"must begin with b'#!AER-DAT2\.0'$"),
        (
            b"#!AER-DAT2.0\r\n# AEChip: new\r\n",
            "its header names no AEChip of DVS128, DAVIS240, DAVIS346, DAVIS640$",
        ),
    ],
)
def test_wrong_files_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(EventError, match=message):
        aedat2.read(write_file(tmp_path / "a.aedat", content))
