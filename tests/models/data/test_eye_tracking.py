"""Sequences of 3ET+ recordings, made by hand, real, and published with SEE."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.data.eye_tracking import SCALE, frames_by_count, sequences
from models.events.formats import eye_tracking as files_of_eyes
from models.events.recording import EventError
from models.events.represent import downscaled, esda_voxel_grid, voxel_grid
from models.events.window import between, by_count
from models.frontend.esda_network import load_esda
from models.ir import golden
from models.ir.frame import Frame
from tests.models.events import files


def eye_recording(folder: Path, seconds: float, marks: int) -> list[files.Event]:
    """A 3ET+ recording whose pupil moves a pixel right every label and blinks at every seventh."""
    count = round(seconds * 2000)
    rng = np.random.default_rng(1)
    t = np.sort(rng.integers(0, round(seconds * 1e6), count))
    events = list(zip(t.tolist(), *(rng.integers(0, n, count).tolist() for n in (640, 480, 2)), strict=True))
    with h5py.File(folder / "a.h5", "w") as file:
        kind = np.dtype([(name, "<u8") for name in "txyp"])
        file.create_dataset("events", data=np.array(events, kind), chunks=(100,), compression="gzip")
    (folder / "label.txt").write_text("".join(f"({n}, {2 * n}, {int(n % 7 == 0)})\n" for n in range(marks)))
    return events


@pytest.mark.parametrize("marks, frames", [(400, 66), (151, 31), (29, 6)])
def test_eye_tracking_sequences(marks: int, frames: int, tmp_path: Path) -> None:
    events = eye_recording(tmp_path, 3.32, marks)
    result = list(sequences(tmp_path / "a.h5", length=5, step=4))
    assert [part.start for part in result] == [n * 50_000 for n in range(0, frames - 4, 4)]
    for part in result:
        assert (part.grids.shape, part.grids.dtype) == ((5, 3, 60, 80), np.int8)
        assert len(part) == len(part.pupil) == len(part.closed) == 5
        for at in range(5):
            start = part.start + at * 50_000
            number = start // 10_000
            assert part.pupil[at].tolist() == [number / 8, 2 * number / 8]
            assert part.closed[at] == (number % 7 == 0)
            # events are few enough here that nothing is clipped, and the shares of one add up to 1
            inside = [event for event in events if start <= event[0] < start + 50_000]
            total = sum(2 * p - 1 for *_, p in inside)
            assert part.grids[at].sum() * SCALE == total
            places = {(y // 8, x // 8) for _, x, y, _ in inside}
            assert {tuple(site) for site in np.argwhere(part.grids[at].any(axis=0)).tolist()} <= places
            assert np.array_equal(part.active[at], part.grids[at].any(axis=0))


def test_eye_tracking_sequences_of_either_grid(tmp_path: Path) -> None:
    eye_recording(tmp_path, 1.02, 102)
    events = downscaled(files_of_eyes.read(tmp_path / "a.h5"), 8)
    spans = [(start, start + 50_000) for start in range(0, 1_000_000, 50_000)]
    (part,) = sequences(tmp_path / "a.h5", length=20, grid="centred", scale=1 / 7)
    assert np.array_equal(part.grids, [voxel_grid(between(events, *span), 3, span, 7) for span in spans])
    (part,) = sequences(tmp_path / "a.h5", length=20, grid="esda", scale=0.3)
    real = np.array([esda_voxel_grid(between(events, *span), 3) for span in spans])
    assert np.array_equal(part.grids, np.rint(real / 0.3))
    assert np.array_equal(part.active, (real != 0).any(axis=1))
    assert (part.active & ~part.grids.any(axis=1)).any(), "a site may be active whose integers are 0"
    (part,) = sequences(tmp_path / "a.h5", length=20, grid="esda", scale=1e-3)
    assert (part.grids.min(), part.grids.max()) == (-128, 127)
    for grid, scale, message in (
        ("voxel", 0.25, "grid: 'voxel' must be one of centred, esda"),
        ("centred", 0.3, "scale: 0.3 must be 1 over a whole number for the grid 'centred', such as 0.25"),
        ("centred", 2.0, "scale: 2.0 must be 1 over a whole number"),
        ("esda", 0.0, "scale: 0.0 must be positive"),
    ):
        with pytest.raises(EventError, match=message):
            next(sequences(tmp_path / "a.h5", length=20, grid=grid, scale=scale))


def test_eye_tracking_frames_of_as_many_events(tmp_path: Path) -> None:
    eye_recording(tmp_path, 1.0, 100)
    (tmp_path / "b").mkdir()
    eye_recording(tmp_path / "b", 0.5, 50)
    paths = [tmp_path / "a.h5", tmp_path / "b" / "a.h5"]
    whole = [downscaled(files_of_eyes.read(path), 8) for path in paths]

    def grids(events: int) -> np.ndarray:
        windows = [part for recording in whole for part in by_count(recording, events, 1)]
        return np.array([voxel_grid(windows[n * len(windows) // 7], 3, steps=4) for n in range(7)])

    result = frames_by_count(paths, 0.05, 7)
    assert (result.shape, result.dtype) == ((7, 3, 60, 80), np.int8)
    (events,) = (n for n in range(220, 280) if np.array_equal(result, grids(n)))
    assert grids(events - 1).any(axis=1).mean() < 0.05 <= result.any(axis=1).mean()
    with pytest.raises(EventError, match=r"share: 0.99 of the sites are active in no window of 1000 events"):
        frames_by_count(paths, 0.99, 3)


@pytest.mark.skipif(not (DATA / "3et_plus").is_dir(), reason=f"no 3ET+ recordings in {DATA}")
def test_real_eye_tracking_sequences() -> None:
    (path,) = DATA.glob("3et_plus/train/5_1/*.h5")
    result = list(sequences(path))
    assert [(part.grids.shape, part.start) for part in result] == [((30, 3, 60, 80), n * 1_500_000) for n in range(5)]
    # lines 1 and 6 of its labels
    assert result[0].pupil[:2].tolist() == [[364 / 8, 90 / 8], [362 / 8, 91 / 8]]
    density = np.mean([(part.grids != 0).any(axis=1).mean() for part in result])
    assert 0.02 < density < 0.15


WINDOWS = DATA / "see_weights" / "golden_SEE-D_7_4.npz"


RECORDING = DATA / "3et_plus" / "train" / "7_4" / "7_4.h5"


needs_windows = pytest.mark.skipif(
    not (WINDOWS.is_file() and RECORDING.is_file()), reason=f"no SEE windows, or not their recording, in {DATA}"
)


@needs_windows
def test_see_takes_the_grids_that_its_own_software_makes() -> None:
    """Sites, real values and integers of 30 windows as ESDA's software gave them, which adds up in float32."""
    with np.load(WINDOWS) as archive:
        golden_windows = {name: archive[name] for name in archive.files}
    (part, *_) = sequences(RECORDING, grid="esda", scale=float(golden_windows["input_scale"]))
    # labels went through float32 on their way to 0 to 1
    assert np.abs(part.pupil - golden_windows["label_xy"] * [80, 60]).max() < 1e-5
    events = downscaled(files_of_eyes.read(RECORDING), 8)
    offsets = golden_windows["window_offset"].tolist()
    for number, (first, last) in enumerate(itertools.pairwise(offsets)):
        y, x = golden_windows["sites"][first:last].T
        assert np.argwhere(part.active[number]).tolist() == golden_windows["sites"][first:last].tolist()
        assert np.array_equal(part.grids[number][:, y, x].T, golden_windows["features"][first:last])
        real = esda_voxel_grid(between(events, number * 50_000, (number + 1) * 50_000), 3)
        assert np.abs(real[:, y, x].T - golden_windows["voxel"][first:last]).max() < 3e-6


@needs_windows
def test_see_d_gives_the_published_features_from_the_events_on() -> None:
    """Events, grid, integer backbone, mean over active sites: the rules of hardware that the README of the data has."""
    with np.load(WINDOWS) as archive:
        scale, expected = float(archive["input_scale"]), archive["backbone_out_hw"]
    graph, _ = load_esda(DATA / "see_weights" / "SEE-D_int.json")
    factor = json.loads((DATA / "see_weights" / "SEE-D_int_extra.json").read_text())["output_requant"]
    (part, *_) = sequences(RECORDING, grid="esda", scale=scale)
    for number in range(0, 30, 6):
        frame = Frame.from_dense(part.grids[number].transpose(1, 2, 0), part.active[number])
        frames = golden.run(graph, frame)
        mean = frames["sum"].features[0] // len(frames["conv8"].sites)
        assert np.array_equal(np.clip((mean * factor + 2**15) >> 16, -127, 127), expected[number])
