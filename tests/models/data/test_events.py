"""The data sets made of events: digits_dvs, N-MNIST and 3ET+ sequences."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.data import Augment, Dataset, DatasetError, digits_dvs, load
from models.data.cache import cache_dir, kept
from models.data.counts import Counts
from models.data.dataset import SPLITS
from models.data.digits import parts
from models.data.eye_tracking import SCALE, frames_by_count, sequences
from models.data.n_mnist import n_mnist
from models.events.formats import eye_tracking as files_of_eyes
from models.events.formats import n_mnist as files_of_n_mnist
from models.events.recording import EventError, recording
from models.events.represent import downscaled, esda_voxel_grid, voxel_grid
from models.events.window import between, by_count
from models.frontend.esda_network import load_esda
from models.ir import golden
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from tests.models.events import files


def sparse_data(**changes: object) -> Dataset:
    rng = np.random.default_rng(0)
    x = (rng.integers(1, 8, (12, 2, 5, 6)) * (rng.random((12, 2, 5, 6)) < 0.2) / 4).astype(np.float32)
    y = np.arange(12) % 3
    base = Dataset("some", x, y, x[:3], y[:3], x[:5], y[:5], 3, IntType(3, False), 0.25, sparse=True)
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_dir() == tmp_path / "cache" / "netweave" / "data"
    return cache_dir()


def test_a_sparse_site_is_active_where_a_channel_is_not_zero() -> None:
    data = sparse_data()
    for split in SPLITS:
        images, masks = data.split(split)[0], data.masks(split)
        assert masks.dtype == bool
        for image, mask, frame in zip(images, masks, data.frames(split), strict=True):
            active = [(y, x) for y in range(5) for x in range(6) if image[0, y, x] or image[1, y, x]]
            assert frame.sites.tolist() == [list(site) for site in active] == np.argwhere(mask).tolist()
            assert frame.features.tolist() == [[round(4 * v) for v in image[:, y, x].tolist()] for y, x in active]
    assert len(data.masks("train", 3)) == len(data.frames("train", 3)) == 3
    dense = replace(data, sparse=False)
    assert dense.masks().all()
    assert all(len(frame.sites) == 30 for frame in dense.frames())


def test_sparse_images_may_only_move_by_whole_pixels() -> None:
    sparse_data(augment=Augment(shift=1, nearest=True))
    with pytest.raises(DatasetError, match=r"augment: .* must be nearest for sparse images"):
        sparse_data(augment=Augment(shift=1))


@pytest.mark.parametrize("most, width", [(1, 2), (3, 2), (7, 3), (15, 4), (255, 8)])
def test_counts_fit_their_format(most: int, width: int) -> None:
    counts = Counts(most=most)
    assert counts.dtype == IntType(width, signed=False)
    assert 1 <= most * counts.scale < 2
    t, x, y, p = np.array(files.random_events(0, 3000, 4, 4, 30)).T
    image = counts.image(recording("test", t, x, y, p, (4, 4)))
    assert image.max() <= most
    assert np.array_equal(counts.floats(image) / np.float32(counts.scale), image)


def few_digits() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {split: (x[:40], y[:40]) for split, (x, y) in parts().items()}


def test_digits_dvs_is_made_once_and_again_when_it_is_gone(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits_dvs, "parts", few_digits)
    first = load("digits_dvs")
    assert first.sparse
    assert (first.shape, first.input_dtype, first.input_scale) == ((32, 32, 2), IntType(3, False), 0.25)
    assert np.array_equal(first.test_y, few_digits()["test"][1])
    assert sorted([*first.train_y, *first.validation_y]) == sorted(few_digits()["train"][1])
    (file,) = cache.iterdir()
    for content in (b"", file.read_bytes()[:-30], None):
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        again = load("digits_dvs")
        assert np.array_equal(again.train_x, first.train_x)
        assert np.array_equal(again.test_x, first.test_x)
        (file,) = cache.iterdir()
    monkeypatch.setattr(digits_dvs, "recordings", None)
    assert np.array_equal(load("digits_dvs").train_x, first.train_x), "not made again while it is kept"
    monkeypatch.setattr(digits_dvs, "CONTRAST", 2.0)
    with pytest.raises(TypeError, match="not callable"):
        load("digits_dvs")


def test_the_cache_does_without_a_folder_to_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    calls = []

    def make() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"a": np.arange(3)}

    for _ in range(2):
        assert kept("x", {"b": 1}, make)["a"].tolist() == [0, 1, 2]
    assert len(calls) == 2


@pytest.mark.slow
def test_digits_dvs_looks_like_n_mnist_and_is_learnable(cache: Path) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    data = load("digits_dvs")
    assert (len(data.train_x), len(data.validation_x), len(data.test_x)) == (1010, 248, 539)
    assert 0.15 < data.masks("train").mean() < 0.3
    assert data.masks("train").any(axis=(1, 2)).all()
    flat = [x.reshape(len(x), -1) for x in (data.train_x, data.test_x)]
    nearest = KNeighborsClassifier(3).fit(flat[0], data.train_y)
    assert nearest.score(flat[1], data.test_y) > 0.95


def small_n_mnist(root: Path) -> dict[str, list[files.Event]]:
    held = {}
    for split in ("Train", "Test"):
        for digit in range(10):
            for number in range(2):
                path = root / split / str(digit) / f"{number:05}.bin"
                path.parent.mkdir(parents=True, exist_ok=True)
                events = files.random_events(digit * 7 + number, 400, 34, 34, longest=3000)
                path.write_bytes(files.n_mnist(events))
                held[f"{split}/{digit}/{number}"] = events
    return held


def test_n_mnist_reads_the_official_layout(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = small_n_mnist(tmp_path / "n_mnist")
    heard = []
    data = load(f"n_mnist:{tmp_path}/n_mnist", lambda *at: heard.append(at))
    assert heard == [(f"n_mnist {split}", number, 20) for split in ("Train", "Test") for number in range(20)]
    assert (data.sparse, data.shape, data.classes) == (True, (34, 34, 2), 10)
    assert data.test_y.tolist() == [digit for digit in range(10) for _ in range(2)]
    assert sorted([*data.train_y, *data.validation_y]) == data.test_y.tolist()
    counts = Counts()
    for name, image in zip(list(held)[20:], data.encode(data.test_x), strict=True):
        t, x, y, p = np.array(held[name]).T
        assert np.array_equal(image, counts.image(recording(name, t, x, y, p, (34, 34))))
    # read again only where a file has changed
    load(f"n_mnist:{tmp_path}/n_mnist", lambda *at: pytest.fail("read again"))
    monkeypatch.setenv("NETWEAVE_DATA", str(tmp_path))
    assert np.array_equal(load("n_mnist").test_x, data.test_x)
    one = tmp_path / "n_mnist" / "Test" / "9" / "00001.bin"
    one.write_bytes(files.n_mnist([(5, 3, 3, 1), (6, 3, 4, 1)]))
    changed = load("n_mnist")
    assert np.array_equal(changed.test_x[:19], data.test_x[:19])
    assert changed.masks("test")[19].sum() == 1
    one.write_bytes(b"abcd")
    with pytest.raises(DatasetError, match=r"00001\.bin: event 0: is cut off"):
        load("n_mnist")


def test_n_mnist_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match=r"gone holds no Train/<digit>/\*\.bin; Train/ and Test/ must be there"):
        load(f"n_mnist:{tmp_path}/gone")
    monkeypatch.delenv("NETWEAVE_DATA", raising=False)
    with pytest.raises(DatasetError, match="the variable NETWEAVE_DATA names no folder"):
        load("n_mnist")


@pytest.mark.skipif(not (DATA / "n_mnist").is_dir(), reason=f"no N-MNIST recordings in {DATA}")
def test_real_n_mnist(cache: Path) -> None:
    data = n_mnist(DATA / "n_mnist")
    assert (len(data.train_x) + len(data.validation_x), len(data.test_x)) == (1000, 60)
    assert np.bincount(data.test_y).sum() == 60
    assert 0.2 < data.masks("train").mean() < 0.27
    first = sorted((DATA / "n_mnist" / "Test" / str(data.test_y[0])).glob("*.bin"))[0]
    assert np.array_equal(data.encode(data.test_x[:1])[0], Counts().image(files_of_n_mnist.read(first)))


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
    found = list(sequences(tmp_path / "a.h5", length=5, step=4))
    assert [part.start for part in found] == [n * 50_000 for n in range(0, frames - 4, 4)]
    for part in found:
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

    found = frames_by_count(paths, 0.05, 7)
    assert (found.shape, found.dtype) == ((7, 3, 60, 80), np.int8)
    (events,) = (n for n in range(220, 280) if np.array_equal(found, grids(n)))
    assert grids(events - 1).any(axis=1).mean() < 0.05 <= found.any(axis=1).mean()
    with pytest.raises(EventError, match=r"share: 0.99 of the sites are active in no window of 1000 events"):
        frames_by_count(paths, 0.99, 3)


@pytest.mark.skipif(not (DATA / "3et_plus").is_dir(), reason=f"no 3ET+ recordings in {DATA}")
def test_real_eye_tracking_sequences() -> None:
    (path,) = DATA.glob("3et_plus/train/5_1/*.h5")
    found = list(sequences(path))
    assert [(part.grids.shape, part.start) for part in found] == [((30, 3, 60, 80), n * 1_500_000) for n in range(5)]
    # lines 1 and 6 of its labels
    assert found[0].pupil[:2].tolist() == [[364 / 8, 90 / 8], [362 / 8, 91 / 8]]
    density = np.mean([(part.grids != 0).any(axis=1).mean() for part in found])
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
        scale, wanted = float(archive["input_scale"]), archive["backbone_out_hw"]
    graph, _ = load_esda(DATA / "see_weights" / "SEE-D_int.json")
    factor = json.loads((DATA / "see_weights" / "SEE-D_int_extra.json").read_text())["output_requant"]
    (part, *_) = sequences(RECORDING, grid="esda", scale=scale)
    for number in range(0, 30, 6):
        frame = Frame.from_dense(part.grids[number].transpose(1, 2, 0), part.active[number])
        frames = golden.run(graph, frame)
        mean = frames["sum"].features[0] // len(frames["conv8"].sites)
        assert np.array_equal(np.clip((mean * factor + 2**15) >> 16, -127, 127), wanted[number])


def test_the_documented_way_to_use_own_recordings(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "events.md").read_text(encoding="utf-8")
    (example,) = (block for block in text.split("```") if "def gestures()" in block)
    for split in ("train", "test"):
        name = f"user_{split}"
        (tmp_path / f"trials_to_{split}.txt").write_text(f"{name}.aedat\n")
        events = files.random_events(len(name), 800, 128, 128, longest=4000)
        (tmp_path / f"{name}.aedat").write_bytes(files.aedat3(events))
        labels = f"1,0,{events[400][0]}\n4,{events[400][0]},{events[-1][0]}\n"
        (tmp_path / f"{name}_labels.csv").write_text(f"class,startTime_usec,endTime_usec\n{labels}")
    code = example.removeprefix("python\n")
    (tmp_path / "mine.py").write_text(f"from pathlib import Path\nFOLDER = Path({str(tmp_path)!r})\n{code}")
    data = load(f"{tmp_path}/mine.py:gestures")
    assert (data.sparse, data.shape, data.classes, data.input_scale) == (True, (64, 64, 2), 4, 0.25)
    assert {*data.train_y, *data.validation_y} == set(data.test_y) == {0, 3}
    assert data.masks("train").any()
