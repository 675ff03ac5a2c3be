"""N-MNIST files: a decoder of one record at a time, and real recordings."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from benchmarks.inputs.data import DATA
from models.events import EventError
from models.events.formats import n_mnist
from models.events.read import read
from tests.models.events import files
from tests.models.events.files import Event, random_events, rows, write_file


def slow_n_mnist(content: bytes) -> list[Event]:
    result, late = [], 0
    for x, y, high, middle, low in struct.iter_unpack("5B", content):
        if y == 240:
            late += 8192
        else:
            result.append((((high & 127) << 16) + (middle << 8) + low + late, x, y, high >> 7))
    return result


def test_n_mnist_overflow_records_move_the_clock(tmp_path: Path) -> None:
    content = b"".join(
        bytes([0, 240, 0, 0, 0]) if number % 7 == 6 else event
        for number, event in enumerate(files.n_mnist([event]) for event in random_events(5, 300, 34, 34, 500))
    )
    assert rows(read(write_file(tmp_path / "o.bin", content))) == slow_n_mnist(content)


@pytest.mark.parametrize(
    "content, message",
    [
        (files.n_mnist([(0, 34, 0, 0)]), r"a\.bin: event 0: x is 34; valid is 0 to 33"),
        (files.n_mnist([(5, 0, 0, 0), (4, 0, 0, 1)]), "event 1: t is 4 us, earlier than event 0; valid is 5"),
    ],
)
def test_wrong_files_are_named(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(EventError, match=message):
        read(write_file(tmp_path / "a.bin", content))


@pytest.mark.skipif(not (DATA / "n_mnist").is_dir(), reason=f"no N-MNIST recordings in {DATA}")
def test_real_n_mnist_recordings() -> None:
    paths = sorted((DATA / "n_mnist").glob("*/*/*.bin"))
    assert len(paths) == 1060
    for path in paths[::20]:
        assert rows(n_mnist.read(path)) == slow_n_mnist(path.read_bytes())
