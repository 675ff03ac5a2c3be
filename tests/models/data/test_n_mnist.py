"""N-MNIST: the official layout, what is read again, and the real recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.data import DatasetError, load
from models.data.counts import Counts
from models.data.n_mnist import n_mnist
from models.events.formats import n_mnist as files_of_n_mnist
from models.events.recording import recording
from tests.models.events import files


def small_n_mnist(root: Path) -> dict[str, list[files.Event]]:
    recordings = {}
    for split in ("Train", "Test"):
        for digit in range(10):
            for number in range(2):
                path = root / split / str(digit) / f"{number:05}.bin"
                path.parent.mkdir(parents=True, exist_ok=True)
                events = files.random_events(digit * 7 + number, 400, 34, 34, longest=3000)
                path.write_bytes(files.n_mnist(events))
                recordings[f"{split}/{digit}/{number}"] = events
    return recordings


def test_n_mnist_reads_the_official_layout(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = small_n_mnist(tmp_path / "n_mnist")
    calls = []
    data = load(f"n_mnist:{tmp_path}/n_mnist", lambda *at: calls.append(at))
    assert calls == [(f"n_mnist {split}", number, 20) for split in ("Train", "Test") for number in range(20)]
    assert (data.sparse, data.shape, data.classes) == (True, (34, 34, 2), 10)
    assert data.test_y.tolist() == [digit for digit in range(10) for _ in range(2)]
    assert sorted([*data.train_y, *data.validation_y]) == data.test_y.tolist()
    counts = Counts()
    for name, image in zip(list(recordings)[20:], data.encode(data.test_x), strict=True):
        t, x, y, p = np.array(recordings[name]).T
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
