"""``read``: files of every format, whole, cut off, empty and broken somewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.events import EventError, Policy, Recording
from models.events.read import read
from models.events.recording import POLICIES
from tests.models.events import files
from tests.models.events.files import FORMATS, eye_file, npz_file, random_events, rows, write_file


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("count", [1, 2, 1000])
def test_every_format_gives_back_its_events(name: str, count: int, tmp_path: Path) -> None:
    (height, width), write = FORMATS[name]
    # N-MNIST's clock has 23 bits
    events = random_events(count, count, height, width, longest=10_000 if name == "n_mnist.bin" else 40_000)
    result = read(write_file(tmp_path / name, write(events)))
    assert rows(result) == events
    assert (result.height, result.width, result.dropped) == (height, width, {})
    assert [getattr(result, field).dtype for field in "txyp"] == [np.int64, np.int16, np.int16, np.uint8]


@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_file_is_an_error_or_a_counted_drop(name: str, tmp_path: Path) -> None:
    size, write = FORMATS[name]
    content = write(random_events(7, 250, *size, longest=10_000))
    path = write_file(tmp_path / name, content[:-1])
    with pytest.raises(EventError, match=rf"{name}.*event (\d+)"):
        read(path)
    whole = read(write_file(tmp_path / f"whole_{name}", content))
    result = read(path, "drop")
    assert result.dropped == {"truncated": 1}
    assert rows(result) == rows(whole)[: len(result)]
    # the last packet of an AEDAT 4.0 file of 250 events has 50
    assert len(whole) - len(result) <= (50 if "aedat4" in name else 12)
    assert len(result)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_without_events_is_an_error_or_an_empty_recording(name: str, tmp_path: Path) -> None:
    path = write_file(tmp_path / name, FORMATS[name][1]([]))
    with pytest.raises(EventError, match="holds no event; one or more"):
        read(path)
    result = read(path, "drop")
    assert (len(result), result.duration, result.dropped) == (0, 0, {})


@pytest.mark.parametrize("name", [*FORMATS, "e.h5", "e.npz", "e.csv"])
def test_broken_files_give_events_that_hold_or_an_event_error(name: str, tmp_path: Path) -> None:
    size, write = FORMATS.get(name, ((480, 640), lambda e: b"\n".join(b"%d,%d,%d,%d" % row for row in e)))
    events = random_events(3, 200, *size, longest=10_000)
    path = tmp_path / name
    if name == "e.h5":
        eye_file(path, events, chunks=(64,), compression="gzip")
    elif name == "e.npz":
        npz_file(path, events, *size)
    else:
        path.write_bytes(write(events))
    whole = path.read_bytes()
    # a broken text header aborts the library that reads AEDAT 4.0, process and all
    first = 800 if name == "dv.aedat4" else 0
    rng = np.random.default_rng(1)
    for number in range(60):
        broken = bytearray(whole)
        for _ in range(rng.integers(1, 6)):
            end = min(len(whole), first + 200) if rng.random() < 0.5 else len(whole)
            broken[rng.integers(first, end)] = rng.integers(256)
        path.write_bytes(broken[: rng.integers(first, len(whole))] if number % 4 == 0 else broken)
        for policy in POLICIES:
            result = outcome(path, policy, size if name == "e.csv" else None)
            if isinstance(result, str):
                assert name in result
            else:
                events = rows(result)
                assert events == sorted(events, key=lambda event: event[0])
                assert all(0 <= x < result.width and 0 <= y < result.height and p in (0, 1) for _, x, y, p in events)


def outcome(path: Path, policy: Policy, size: tuple[int, int] | None) -> Recording | str:
    """What reading gives: events, or the message of an EventError."""
    try:
        return read(path, policy, size)
    except EventError as error:
        return str(error)


def test_what_is_no_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(EventError, match=r"a\.xyz: of no known format; known are \.bin"):
        read(write_file(tmp_path / "a.xyz", b"what"))
    with pytest.raises(EventError, match=r"gone\.bin: cannot be read: No such file"):
        read(tmp_path / "gone.bin")


def test_content_says_the_format_and_the_name_that_of_a_bin(tmp_path: Path) -> None:
    events = random_events(2, 40, 128, 128)
    assert rows(read(write_file(tmp_path / "a.xyz", files.aedat3(events)))) == events
    disguised = [(0x414552, 35, 33, 0), (0x415432, 45, 68, 0), (0x500000, 46, 48, 0)]
    content = files.n_mnist(disguised)
    assert content.startswith(b"#!AER-DAT2.0")
    assert rows(read(write_file(tmp_path / "a.bin", content), size=(70, 50))) == disguised
