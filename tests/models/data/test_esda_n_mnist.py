"""N-MNIST as ESDA's network takes it: counts by hand, and the published input of real recordings."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.esda_n_mnist import FOLDER, RECORDINGS
from models.data import load
from models.data.dataset import Dataset
from models.data.esda_n_mnist import COUNTS
from models.events.formats.n_mnist import read
from models.events.recording import recording
from tests.models.events import files

real = pytest.mark.skipif(
    not (FOLDER.is_dir() and RECORDINGS.is_dir()), reason=f"{FOLDER} or {RECORDINGS} is not there"
)


def test_the_first_events_of_the_window_are_counted() -> None:
    """One event after the other: none but the first 1,024 below 200 ms counts, alone or not."""
    events = files.random_events(0, 3000, 34, 34, 4000)
    t, x, y, p = np.array(events).T
    assert t[1023] < 200_000 < t[-1]
    expected = np.zeros((2, 34, 34), int)
    for _, column, row, polarity in [event for event in events if event[0] < 200_000][:1024]:
        expected[polarity, row, column] += 1
    assert np.array_equal(COUNTS.image(recording("test", t, x, y, p, (34, 34))), expected)
    late = recording("test", t + 150_000, x, y, p, (34, 34))
    assert COUNTS.image(late).sum() == (t < 50_000).sum() < 1024


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The test recordings, beside two of each digit for training."""
    folder = tmp_path_factory.mktemp("n_mnist")
    (folder / "Test").symlink_to(RECORDINGS / "Test")
    for digit in range(10):
        digit_folder = folder / "Train" / str(digit)
        digit_folder.mkdir(parents=True)
        for path in sorted((RECORDINGS / "Train" / str(digit)).glob("*.bin"))[:2]:
            (digit_folder / path.name).symlink_to(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        return load(f"esda_n_mnist:{folder}")


@real
def test_recordings_give_the_published_input(images: Dataset) -> None:
    with np.load(FOLDER / "golden_test60.npz") as published:
        assert np.array_equal(images.encode(images.test_x), published["histogram"])
        assert np.array_equal(images.test_y, published["label"])
        names = [path.stem for digit in range(10) for path in sorted((RECORDINGS / "Test" / str(digit)).glob("*.bin"))]
        assert [int(name) for name in names] == published["id"].tolist()


@real
def test_the_first_recording_is_the_frame_published_with_the_network() -> None:
    (first, *_) = sorted((RECORDINGS / "Test" / "0").glob("*.bin"))
    image = COUNTS.image(read(first))
    with np.load(FOLDER / "NMNIST_int.npz") as published:
        assert np.array_equal(image.any(axis=0), published["input/mask"])
        assert np.array_equal(image.transpose(1, 2, 0)[image.any(axis=0)], published["input/features"])
