from __future__ import annotations

import builtins
import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from models.events import EventError
from models.events.formats import aedat2, evt2, evt3, npz
from models.events.formats.clock import unwrapped
from models.events.read import read
from tests.models.events import files
from tests.models.events.files import Event, random_events, rows

AEDAT3 = b"#!AER-DAT3.1\r\n"
HEAD = files.prophesee_header


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def eye_file(path: Path, events: list[Event], **options: object) -> Path:
    kind = np.dtype([("t", "<u8"), ("x", "<u8"), ("y", "<u8"), ("p", "<u8")])
    with h5py.File(path, "w") as file:
        file.create_dataset("events", data=np.array(events, kind), **options)  # type: ignore[arg-type]
    return path


def npz_file(path: Path, events: list[Event], height: int, width: int) -> Path:
    t, x, y, p = np.array(events).T
    np.savez(path, t=t, x=x, y=y, p=p, height=height, width=width)
    return path


# name -> (height, width), and what writes events to a file that says that size
FORMATS: dict[str, tuple[tuple[int, int], Callable[[list[Event]], bytes]]] = {
    "n_mnist.bin": ((34, 34), files.n_mnist),
    "evt2.raw": ((480, 640), lambda e: HEAD("evt 2.0", "geometry 640x480", "end") + files.evt2(e)),
    "evt2_no_end.raw": ((480, 640), lambda e: HEAD("evt 2.0", "format EVT2;height=480;width=640") + files.evt2(e)),
    "evt3.raw": ((720, 1280), lambda e: HEAD("format EVT3;height=720;width=1280", "end") + files.evt3(e)),
    "cd.dat": (
        (480, 640),
        lambda e: HEAD("Data file containing CD events", "Version 2", "Width 640", "Height 480") + files.dat(e),
    ),
    "davis.aedat": ((180, 240), lambda e: files.aedat2(e, 180)),
    "dvs128.aedat": ((128, 128), lambda e: files.aedat2(e, 128, "ch.unizh.ini.jaer.chip.retina.DVS128")),
    "gesture.aedat": ((128, 128), files.aedat3),
    "davis346.aedat": ((260, 346), lambda e: files.aedat3(e, "DAVIS346")),
    "dv.aedat4": ((260, 346), lambda e: files.aedat4(e, 260, 346)),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("count", [1, 2, 1000])
def test_every_format_gives_back_its_events(name: str, count: int, tmp_path: Path) -> None:
    (height, width), write = FORMATS[name]
    # N-MNIST's clock has 23 bits
    events = random_events(count, count, height, width, longest=10_000 if name == "n_mnist.bin" else 40_000)
    found = read(written(tmp_path / name, write(events)))
    assert rows(found) == events
    assert (found.height, found.width, found.dropped) == (height, width, {})
    assert [getattr(found, field).dtype for field in "txyp"] == [np.int64, np.int16, np.int16, np.uint8]


@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_file_is_an_error_or_a_counted_drop(name: str, tmp_path: Path) -> None:
    size, write = FORMATS[name]
    content = write(random_events(7, 250, *size, longest=10_000))
    path = written(tmp_path / name, content[:-1])
    with pytest.raises(EventError, match=rf"{name}.*event (\d+)"):
        read(path)
    whole = read(written(tmp_path / f"whole_{name}", content))
    found = read(path, "drop")
    assert found.dropped == {"truncated": 1}
    assert rows(found) == rows(whole)[: len(found)]
    # the last packet of an AEDAT 4.0 file of 250 events has 50
    assert len(whole) - len(found) <= (50 if "aedat4" in name else 12)
    assert len(found)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_without_events_is_an_error_or_an_empty_recording(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / name, FORMATS[name][1]([]))
    with pytest.raises(EventError, match="holds no event; one or more"):
        read(path)
    found = read(path, "drop")
    assert (len(found), found.duration, found.dropped) == (0, 0, {})


@pytest.mark.parametrize("options", [{}, {"chunks": (64,)}, {"chunks": (64,), "compression": "gzip"},
                                     {"chunks": (100,), "compression": "gzip"},
                                     {"chunks": (64,), "compression": "gzip", "shuffle": True},
                                     {"chunks": (64,), "compression": "lzf"}])  # fmt: skip
def test_eye_tracking_files_however_hdf5_stores_them(options: dict[str, object], tmp_path: Path) -> None:
    events = random_events(3, 1000, 480, 640)
    found = read(eye_file(tmp_path / "e.h5", events, **options))
    assert rows(found) == events
    assert (found.height, found.width) == (480, 640)


def test_values_too_wide_for_the_narrow_arrays_are_seen(tmp_path: Path) -> None:
    events = random_events(3, 1000, 480, 640)
    wrong = [*events[:700], (events[700][0], 65536 + 5, 5, 1), *events[701:]]
    path = eye_file(tmp_path / "e.h5", wrong, chunks=(64,), compression="gzip")
    with pytest.raises(EventError, match="event 700: x is 65541; valid is 0 to 639"):
        read(path)
    found = read(path, "drop")
    assert (rows(found), found.dropped) == ([*events[:700], *events[701:]], {"out of range": 1})


def test_text_and_npz(tmp_path: Path) -> None:
    events = random_events(4, 50, 20, 30)
    lines = [f"{t},{x},{y},{p}" for t, x, y, p in events]
    plain = written(tmp_path / "a.csv", "\n".join(lines).encode())
    named = written(tmp_path / "b.csv", ("# a sensor\nx y p t\n" + "\n".join(
        f"{x} {y} {p} {t}" for t, x, y, p in events)).encode())  # fmt: skip
    archive = npz_file(tmp_path / "c.npz", events, 20, 30)
    for path, size in ((plain, (20, 30)), (named, (20, 30)), (archive, None)):
        found = read(path, size=size)
        assert rows(found) == events
        assert (found.height, found.width) == (20, 30)
    npz.write(found, tmp_path / "d.npz")
    assert read(tmp_path / "d.npz") == found
    cut = read(written(tmp_path / "cut.csv", "\n".join(lines).encode()[:-2]), "drop", (20, 30))
    assert (rows(cut), cut.dropped) == (events[:-1], {"truncated": 1})


def slow_n_mnist(content: bytes) -> list[Event]:
    found, late = [], 0
    for x, y, high, middle, low in struct.iter_unpack("5B", content):
        if y == 240:
            late += 8192
        else:
            found.append((((high & 127) << 16) + (middle << 8) + low + late, x, y, high >> 7))
    return found


def test_n_mnist_overflow_records_move_the_clock(tmp_path: Path) -> None:
    content = b"".join(
        bytes([0, 240, 0, 0, 0]) if number % 7 == 6 else event
        for number, event in enumerate(files.n_mnist([event]) for event in random_events(5, 300, 34, 34, 500))
    )
    assert rows(read(written(tmp_path / "o.bin", content))) == slow_n_mnist(content)


def slow_evt2(words: list[int]) -> tuple[list[Event], int]:
    found: list[Event] = []
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
            found.append((base + (turns << 34) + (word >> 22 & 63), word >> 11 & 2047, word & 2047, kind))
    return found, unplaced


def slow_evt3(words: list[int]) -> tuple[list[Event], int]:
    """The state machine, a word at a time."""
    found: list[Event] = []
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
                found.append((((turns << 12 | high) << 12) + low, value & 0x7FF, y, value >> 11))
        elif kind in (4, 5):
            width = 12 if kind == 4 else 8
            for column in range(width):
                if value >> column & 1:
                    if high is None or y is None or base is None:
                        unplaced += 1
                    else:
                        assert polarity is not None
                        found.append((((turns << 12 | high) << 12) + low, base + column, y, polarity))
            if base is not None:
                base += width
    return found, unplaced


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("decode, slow, bits", [(evt2.decode, slow_evt2, 32), (evt3.decode, slow_evt3, 16)])
def test_any_words_decode_as_the_state_machine_says(decode: Callable, slow: Callable, bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 1 << bits, rng.integers(0, 400), dtype=np.uint64)
    # mostly kinds that mean something, and times that sometimes go back by little or by much
    kinds = rng.choice([0, 1, 2, 3, 4, 5, 6, 8, 10, 14], len(words)).astype(np.uint64)
    words = (words & np.uint64((1 << bits - 4) - 1) | kinds << np.uint64(bits - 4)).astype(f"<u{bits // 8}")
    columns, unplaced = decode(words)
    wanted, missing = slow(words.tolist())
    assert (list(zip(*(column.tolist() for column in columns), strict=True)), unplaced) == (wanted, missing)


def test_events_before_the_first_time_are_counted(tmp_path: Path) -> None:
    events = random_events(6, 20, 480, 640)
    early = struct.pack("<2I", 1 << 28 | 3 << 11 | 4, 5 << 11 | 6)
    path = written(tmp_path / "early.raw", HEAD("evt 2.0", "geometry 640x480") + early + files.evt2(events))
    found = read(path)
    assert (rows(found), found.dropped) == (events, {"unplaced": 2})


def test_clocks_that_begin_anew(tmp_path: Path) -> None:
    assert unwrapped(np.array([5, 50, 90, 3, 2, 99, 1]), 100).tolist() == [5, 50, 90, 103, 102, 99, 101]
    assert unwrapped(np.array([], np.int64), 100).tolist() == []
    # 16.8 s is once round the clock of EVT 3.0, 71.6 min that of AEDAT 2.0, 35.8 min a packet's of AEDAT 3.1
    for name, period in (("evt3.raw", 1 << 24), ("davis.aedat", 1 << 32), ("gesture.aedat", 1 << 31)):
        (height, width), write = FORMATS[name]
        events = [(period * 5 * n // 16, n % width, n % height, n % 2) for n in range(30)]
        content = files.aedat3(events, packet=1) if name == "gesture.aedat" else write(events)
        assert rows(read(written(tmp_path / name, content))) == events


def test_a_dvs128_counts_rows_from_the_bottom(tmp_path: Path) -> None:
    record = struct.pack(">II", 3 << 8 | 10 << 1 | 1, 77)
    path = written(tmp_path / "a.aedat", b"#!AER-DAT2.0\r\n# AEChip: x.DVS128\r\n" + record)
    assert rows(aedat2.read(path)) == [(77, 10, 124, 1)]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.bin", files.n_mnist([(0, 34, 0, 0)]), r"a\.bin: event 0: x is 34; valid is 0 to 33"),
        ("a.bin", files.n_mnist([(5, 0, 0, 0), (4, 0, 0, 1)]), "event 1: t is 4 us, earlier than event 0; valid is 5"),
        ("a.raw", b"% evt 2.0\n", "names no sensor size; give size"),
        ("a.raw", b"% evt 2.1\n% geometry 4x4\n", "encoding 'EVT 2.1' must be EVT2, EVT3"),
        ("a.raw", b"% evt 3.0\n% geometry 4x4\n% endianness big\n", "endianness 'big' must be 'little'"),
        ("a.dat", b"% Version 2\n% Width 4\n% Height 4\n\x0e\x08", "events of type 14, 8 bytes; valid are"),
        ("a.dat", b"% Version 1\n% Width 4\n% Height 4\n", "encoding 'DAT 1' must be"),
        ("a.aedat", AEDAT3 + b"#Source 1: DVS128\r\n", "must begin with .* and end with"),
        ("a.aedat", AEDAT3 + b"#Format: ZIP\r\n#!END-HEADER\r\n", "format 'ZIP' must be 'RAW'"),
        ("a.aedat", AEDAT3 + b"#Source 1: eDVS\r\n#!END-HEADER\r\n", "no source in its header is one of DVS128"),
        ("a.aedat", AEDAT3 + b"#Source 1: DVS128\r\n#!END-HEADER\r\n" + struct.pack("<hh6i", 1, 1, 12, 4, 0, 1, 1, 1),
         r"packet at byte 47: 1 events of 12 bytes; polarity events have 8"),
        ("a.aedat", b"#!AER-DAT2.0\r\n# AEChip: new\r\n", "names no AEChip of DVS128"),
        ("a.aedat4", b"#!AER-DAT4.0\r\nabc", "is not a readable AEDAT 4.0 file"),
        ("a.h5", b"\x89HDF\r\n\x1a\nabc", "is not a readable HDF5 file"),
        ("a.npz", b"PK\x03\x04abc", r"is not a readable \.npz file"),
        ("a.csv", b"1,2,3,0", "does not say the sensor's size"),
        ("a.xyz", b"what", r"a\.xyz: of no known format; known are \.bin"),
    ],
)  # fmt: skip
def test_wrong_files_are_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(EventError, match=message):
        read(written(tmp_path / name, content))


def test_wrong_tables_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["other"] = np.zeros(3)
    with pytest.raises(EventError, match="holds other; 'events' must be there"):
        read(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["events"] = np.zeros(3, [("t", "<u8"), ("x", "<u8"), ("y", "<u8")])
    with pytest.raises(EventError, match="events have t uint64, x uint64, y uint64; p must be there, an integer"):
        read(tmp_path / "b.h5")
    np.savez(tmp_path / "c.npz", t=[1], x=[1.5], y=[1], p=[1], height=4, width=4)
    with pytest.raises(EventError, match=r"x is float64 \(1,\); t, x, y and p must be integers"):
        read(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", t=[1], x=[1], y=[1], p=[1])
    with pytest.raises(EventError, match="has no height and width"):
        read(tmp_path / "d.npz")
    with pytest.raises(EventError, match=r"columns t, x, y, q must be t, x, y, p"):
        read(written(tmp_path / "e.csv", b"t,x,y,q\n1,1,1,1"), size=(4, 4))
    with pytest.raises(EventError, match="events must be lines of 4 integers"):
        read(written(tmp_path / "f.csv", b"1,1,b,1\n1,1,1,1"), size=(4, 4))
    with pytest.raises(EventError, match=r"gone\.bin: cannot be read: No such file"):
        read(tmp_path / "gone.bin")


def test_aedat4_without_its_library_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "aedat":
            raise ImportError(name)
        return original(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EventError, match=r"pip install 'netweave\[aedat4\]'"):
        read(written(tmp_path / "a.aedat4", files.aedat4([(0, 1, 1, 1)], 4, 4)))
