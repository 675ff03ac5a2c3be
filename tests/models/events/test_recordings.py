"""Data sets of recordings: their layouts, real ones where they are at hand, and files that are broken somewhere."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.events import EventError, Policy, Recording
from models.events.formats import aedat2, dvs_gesture, eye_tracking, n_mnist, roshambo
from models.events.read import read
from models.events.recording import POLICIES
from tests.models.events import files
from tests.models.events.files import random_events, rows
from tests.models.events.test_formats import FORMATS, eye_file, npz_file, slow_n_mnist, written


def test_dvs_gesture_layout(tmp_path: Path) -> None:
    events = random_events(8, 500, 128, 128, longest=500)
    name = "user01_led"
    written(tmp_path / f"{name}.aedat", files.aedat3(events))
    written(tmp_path / "trials_to_train.txt", f"{name}.aedat\n".encode())
    written(tmp_path / "trials_to_test.txt", b"")
    middle, end = events[250][0], events[-1][0]
    labels = tmp_path / f"{name}_labels.csv"
    labels.write_text(f"class,startTime_usec,endTime_usec\n3,0,{middle}\n11,{middle},{end}\n")
    (trial,) = dvs_gesture.trials(tmp_path, "train")
    found = [(label, rows(part)) for label, part in dvs_gesture.gestures(trial)]
    assert found == [
        (3, [event for event in events if event[0] < middle]),
        (11, [event for event in events if middle <= event[0] < end]),
    ]
    assert dvs_gesture.trials(tmp_path, "test") == []
    with pytest.raises(EventError, match="split 'validation' must be one of train, test"):
        dvs_gesture.trials(tmp_path, "validation")
    for text, message in (
        ("class,start\n", "first line must be 'class,startTime_usec,endTime_usec'"),
        ("class,startTime_usec,endTime_usec\n1,2\n", "line 2: '1,2' must be three integers"),
        ("class,startTime_usec,endTime_usec\n1,9,2\n", "line 2: end 2 us must be at or after the start, 9 us"),
    ):
        labels.write_text(text)
        with pytest.raises(EventError, match=message):
            list(dvs_gesture.gestures(trial))


def test_roshambo_layout(tmp_path: Path) -> None:
    with pytest.raises(EventError, match=r"holds no \.aedat"):
        roshambo.trials(tmp_path)
    events = random_events(9, 30, 180, 240)
    for name in ("rock_a_b", "background_1", "paper_x"):
        written(tmp_path / f"{name}.aedat", files.aedat2(events, 180))
    found = roshambo.trials(tmp_path)
    assert [label for label, _ in found] == ["background", "paper", "rock"]
    assert all(rows(aedat2.read(path)) == events for _, path in found)
    written(tmp_path / "well_1.aedat", b"")
    with pytest.raises(EventError, match="class 'well' must be one of paper, scissors, rock, background"):
        roshambo.trials(tmp_path)


def test_eye_tracking_labels(tmp_path: Path) -> None:
    path = written(tmp_path / "label.txt", b"(364, 90, 0)\n(0, 0, 1)\n")
    assert eye_tracking.labels(path).tolist() == [[364, 90, 0], [0, 0, 1]]
    path.write_text("(1, 2, 0)\n(1, 2)\n")
    with pytest.raises(EventError, match=r"line 2: '\(1, 2\)' must be \(x, y, closed\)"):
        eye_tracking.labels(path)


@pytest.mark.skipif(not (DATA / "n_mnist").is_dir(), reason=f"no N-MNIST recordings in {DATA}")
def test_real_n_mnist_recordings() -> None:
    paths = sorted((DATA / "n_mnist").glob("*/*/*.bin"))
    assert len(paths) == 1060
    for path in paths[::20]:
        assert rows(n_mnist.read(path)) == slow_n_mnist(path.read_bytes())


@pytest.mark.skipif(not (DATA / "3et_plus").is_dir(), reason=f"no 3ET+ recordings in {DATA}")
def test_real_3et_recordings() -> None:
    for path in sorted((DATA / "3et_plus").glob("*/*/*.h5")):
        found = read(path)
        with h5py.File(path) as file:
            events = file["events"]
            assert isinstance(events, h5py.Dataset)
            table = events[:]
        for name in "txyp":
            assert np.array_equal(getattr(found, name), table[name])
        last = len(eye_tracking.labels(path.with_name("label.txt"))) * eye_tracking.LABEL_US
        assert abs(last - found.t[-1]) < 2 * eye_tracking.LABEL_US


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
            found = outcome(path, policy, size if name == "e.csv" else None)
            if isinstance(found, str):
                assert name in found
            else:
                assert rows(found) == sorted(rows(found), key=lambda event: event[0])
                assert all(0 <= x < found.width and 0 <= y < found.height and p in (0, 1) for _, x, y, p in rows(found))


def outcome(path: Path, policy: Policy, size: tuple[int, int] | None) -> Recording | str:
    """What reading gives: events, or the message of an EventError."""
    try:
        return read(path, policy, size)
    except EventError as error:
        return str(error)
