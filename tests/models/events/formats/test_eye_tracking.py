"""3ET+ files: however HDF5 stores them, their labels, wrong tables, and real recordings."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.events import EventError
from models.events.formats import eye_tracking
from models.events.read import read
from tests.models.events.files import eye_file, random_events, rows, write_file


@pytest.mark.parametrize("options", [{}, {"chunks": (64,)}, {"chunks": (64,), "compression": "gzip"},
                                     {"chunks": (100,), "compression": "gzip"},
                                     {"chunks": (64,), "compression": "gzip", "shuffle": True},
                                     {"chunks": (64,), "compression": "lzf"}])  # fmt: skip
def test_eye_tracking_files_however_hdf5_stores_them(options: dict[str, object], tmp_path: Path) -> None:
    events = random_events(3, 1000, 480, 640)
    result = read(eye_file(tmp_path / "e.h5", events, **options))
    assert rows(result) == events
    assert (result.height, result.width) == (480, 640)


def test_values_too_wide_for_the_narrow_arrays_are_seen(tmp_path: Path) -> None:
    events = random_events(3, 1000, 480, 640)
    wrong = [*events[:700], (events[700][0], 65536 + 5, 5, 1), *events[701:]]
    path = eye_file(tmp_path / "e.h5", wrong, chunks=(64,), compression="gzip")
    with pytest.raises(EventError, match="event 700: x is 65541; valid is 0 to 639"):
        read(path)
    result = read(path, "drop")
    assert (rows(result), result.dropped) == ([*events[:700], *events[701:]], {"out of range": 1})


def test_wrong_tables_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["other"] = np.zeros(3)
    with pytest.raises(EventError, match="holds other; 'events' must be there"):
        read(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["events"] = np.zeros(3, [("t", "<u8"), ("x", "<u8"), ("y", "<u8")])
    with pytest.raises(EventError, match="events have t uint64, x uint64, y uint64; p must be there, an integer"):
        read(tmp_path / "b.h5")
    with pytest.raises(EventError, match="is not a readable HDF5 file"):
        read(write_file(tmp_path / "c.h5", b"\x89HDF\r\n\x1a\nabc"))


def test_eye_tracking_labels(tmp_path: Path) -> None:
    path = write_file(tmp_path / "label.txt", b"(364, 90, 0)\n(0, 0, 1)\n")
    assert eye_tracking.labels(path).tolist() == [[364, 90, 0], [0, 0, 1]]
    path.write_text("(1, 2, 0)\n(1, 2)\n")
    with pytest.raises(EventError, match=r"line 2: '\(1, 2\)' must be \(x, y, closed\)"):
        eye_tracking.labels(path)


@pytest.mark.skipif(not (DATA / "3et_plus").is_dir(), reason=f"no 3ET+ recordings in {DATA}")
def test_real_3et_recordings() -> None:
    for path in sorted((DATA / "3et_plus").glob("*/*/*.h5")):
        result = read(path)
        with h5py.File(path) as file:
            events = file["events"]
            assert isinstance(events, h5py.Dataset)
            table = events[:]
        for name in "txyp":
            assert np.array_equal(getattr(result, name), table[name])
        last = len(eye_tracking.labels(path.with_name("label.txt"))) * eye_tracking.LABEL_US
        assert abs(last - result.t[-1]) < 2 * eye_tracking.LABEL_US
