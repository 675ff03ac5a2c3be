from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data import Dataset, DatasetError, load
from models.data.arrays import from_arrays
from models.data.dataset import SPLITS
from models.data.held_out import held_out
from models.data.load import DATASETS, FOLDERS
from models.data.resize import resized
from models.frontend.source import SourceError
from models.ir.formats.integer import IntType


def arrays(**changes: object) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    base = {
        "x_train": rng.integers(0, 256, (6, 3, 4, 5), dtype=np.uint8),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_test": rng.integers(0, 256, (3, 3, 4, 5), dtype=np.uint8),
        "y_test": np.array([0, 1, 2]),
    }
    return {key: np.asarray(value) for key, value in (base | changes).items() if value is not None}


def test_digits_are_scikit_learns_split_by_class() -> None:
    from sklearn.datasets import load_digits

    data = load("digits")
    pixels, labels = load_digits(return_X_y=True)
    assert data.shape == (8, 8, 1)
    ours = np.concatenate([data.encode(data.split(split)[0]) for split in SPLITS]).reshape(-1, 64)
    key = lambda rows: sorted(map(tuple, rows.astype(int).tolist()))  # noqa: E731
    assert key(ours) == key(np.asarray(pixels))
    for label in range(10):
        total = int((np.asarray(labels) == label).sum())
        assert int((data.test_y == label).sum()) == round(0.3 * total)
        assert int((data.validation_y == label).sum()) == (total - round(0.3 * total)) // 5
    again = load("digits")
    assert np.array_equal(again.test_x, data.test_x)
    assert np.array_equal(again.test_y, data.test_y)


def test_frames_hold_the_integers_behind_the_pixels() -> None:
    data = load("digits")
    frames = data.frames("test", 3)
    for frame, image in zip(frames, data.test_x, strict=False):
        assert np.array_equal(frame.to_dense()[:, :, 0] / 16, image[0])
    assert len(data.frames("train")) == len(data.train_x)
    with pytest.raises(DatasetError, match="split: 'dev' must be train, validation or test"):
        data.frames("dev")


@given(st.lists(st.integers(0, 3), min_size=2, max_size=60))
def test_every_fifth_image_of_a_class_is_held_out(labels: list[int]) -> None:
    y = np.array(labels)
    train_x, train_y, x, other = held_out(np.arange(len(y)), y)
    assert sorted([*train_x, *x]) == list(range(len(y)))
    assert (y[train_x].tolist(), y[x].tolist()) == (train_y.tolist(), other.tolist())
    wanted = [place for place, label in enumerate(labels) if labels[: place + 1].count(label) % 5 == 0]
    if wanted:
        assert x.tolist() == wanted
    else:
        assert len(x) == 1
        assert labels.count(labels[x[0]]) == max(map(labels.count, labels))


def test_arrays_may_bring_images_for_validation() -> None:
    given_too = arrays(x_val=np.full((2, 3, 4, 5), 7, np.uint8), y_val=np.array([3, 1]))
    data = from_arrays("x", given_too)
    assert (data.encode(data.validation_x) == 7).all()
    assert (data.validation_y.tolist(), len(data.train_x), data.classes) == ([3, 1], 6, 4)
    assert len(from_arrays("x", arrays()).train_x) == 5
    with pytest.raises(DatasetError, match="has no 'x_val'; it has x_train"):
        from_arrays("x", arrays(y_val=np.array([3, 1])))
    with pytest.raises(DatasetError, match=r"x_val: \(3, 4, 4\) must be x_train's shape"):
        from_arrays("x", arrays(x_val=np.zeros((2, 3, 4, 4), np.uint8), y_val=np.array([0, 1])))


def test_data_sets_load_without_torch() -> None:
    code = "import sys, models.data; models.data.load('digits'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "x, dtype, scale",
    [
        (np.arange(24, dtype=np.uint8), IntType(5, False), 1.0),
        (np.arange(-3, 21), IntType(6, True), 1.0),
        (np.arange(24) / np.float32(255), IntType(5, False), 1 / 255),
        (np.arange(-8, 16) / 16.0, IntType(5, True), 1 / 16),
        (np.linspace(0, np.pi, 24), IntType(8, False), np.pi / 255),
        (np.linspace(-1, np.pi, 24), IntType(8, True), np.pi / 127),
    ],
)
def test_input_format_follows_the_pixels(x: np.ndarray, dtype: IntType, scale: float) -> None:
    x = x.reshape(6, 2, 2)
    data = from_arrays("x", arrays(x_train=x, x_test=x[:3], x_val=x[:2], y_val=np.array([0, 1])))
    assert data.input_dtype == dtype
    assert data.input_scale == pytest.approx(scale, rel=1e-12)
    assert data.train_x.shape == (6, 1, 2, 2)
    assert np.array_equal((data.encode(data.train_x) * data.input_scale).astype(np.float32), data.train_x)
    on_grid = np.allclose(x / scale, np.rint(x / scale))
    assert np.abs(data.train_x[:, 0] - x).max() <= (1e-6 if on_grid else 0.5001) * scale


def test_a_given_scale_multiplies_integers_and_divides_floats() -> None:
    raw = arrays()
    data = from_arrays("x", arrays(input_scale=0.5))
    assert np.array_equal(data.test_x, raw["x_test"] * np.float32(0.5))
    floats = {"x_train": data.train_x, "y_train": data.train_y, "x_test": data.test_x}
    same = from_arrays("x", arrays(**floats, x_val=data.validation_x, y_val=data.validation_y, input_scale=0.5))
    assert same.input_dtype == data.input_dtype == IntType(8, False)
    assert np.array_equal(same.train_x, data.train_x)


def counted(height: int, width: int, most: int = 3) -> Dataset:
    """Sparse images of counts, some of them at the most there is."""
    x = np.random.default_rng(0).integers(0, most + 1, (6, 2, height, width), dtype=np.uint8)
    x *= np.random.default_rng(1).random((6, 1, height, width)) < 0.3
    keys = dict.fromkeys(("x_train", "x_test"), x) | dict.fromkeys(("y_train", "y_test"), np.arange(6) % 3)
    return from_arrays("some", {**keys, "input_scale": np.array(0.25), "sparse": np.array(1)})


@pytest.mark.parametrize(("shape", "side", "columns"), [((6, 6), 3, 3), ((7, 5), 4, 3), ((5, 9), 5, 9), ((6, 6), 1, 1)])
def test_a_smaller_sensor_counts_what_its_pixels_cover(shape: tuple[int, int], side: int, columns: int) -> None:
    data = counted(*shape)
    small = resized(data, side)
    assert (small.name, small.shape) == (f"some@{side}", (side, columns, 2))
    before, after = data.encode(data.test_x), small.encode(small.test_x)
    for y in range(side):
        for x in range(columns):
            # the pixels whose own place in the smaller image is (y, x), in the order of the reduction
            rows = [r for r in range(shape[0]) if max(i for i in range(side) if i * shape[0] // side <= r) == y]
            ranks = [c for c in range(shape[1]) if max(i for i in range(columns) if i * shape[1] // columns <= c) == x]
            total = before[:, :, rows][:, :, :, ranks].sum(axis=(2, 3))
            assert np.array_equal(after[:, :, y, x], np.minimum(total, data.input_dtype.max))
    if side == shape[0]:
        assert np.array_equal(small.train_x, data.train_x)


def test_images_are_resized_by_the_data_sets_name(tmp_path: Path) -> None:
    data = counted(6, 6)
    codes = {"x_train": data.encode(data.train_x), "x_test": data.encode(data.test_x)}
    labels = {"y_train": data.train_y, "y_test": data.test_y}
    np.savez(tmp_path / "some.npz", **codes, **labels, sparse=1)
    small = load(f"{tmp_path / 'some.npz'}@3")
    assert np.array_equal(small.test_x, 4 * resized(data, 3).test_x)
    with pytest.raises(DatasetError, match=r"side: 7 must be 1 to 6, its own"):
        load(f"{tmp_path / 'some.npz'}@7")
    with pytest.raises(DatasetError, match="'digits': is dense"):
        load("digits@4")


def test_arrays_may_be_sparse() -> None:
    images = np.zeros((6, 1, 2, 3), np.uint8)
    images[:, 0, 1, 2] = 3
    assert from_arrays("x", arrays(x_train=images, x_test=images[:3], sparse=1)).masks().sum() == 3
    assert from_arrays("x", arrays(x_train=images, x_test=images[:3])).masks().all()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"y_test": None}, "no 'y_test'; it has x_train, y_train, x_test"),
        ({"x_train": np.zeros(6)}, r"x_train: float64 \(6,\) must be numbers"),
        (
            {"x_train": np.full((6, 3, 4, 5), np.nan)},
            r"x_train\[0, 0, 0, 0\]: nan must be a finite number .* 360 of its 360",
        ),
        ({"x_test": np.zeros((3, 3, 4, 4), np.uint8)}, r"x_test: \(3, 4, 4\) must be x_train's shape, \(3, 4, 5\)"),
        ({"x_test": np.zeros((3, 3, 4, 5))}, "x_test: float64 must be float if and only if x_train is"),
        ({"y_train": np.zeros(5, int)}, r"y_train: int64 \(5,\) must be integers of shape \(6,\)"),
        ({"y_train": np.zeros((6, 1), int)}, r"y_train: int64 \(6, 1\) must be integers of shape"),
        ({"y_test": np.array([0, -1, 2])}, "y_test: -1 must be a class, 0 to 65535"),
        ({"y_train": np.zeros(6, int), "y_test": np.zeros(3, int)}, "classes: 1 must be 2 or more"),
        ({"x_train": np.full((6, 3, 4, 5), 300)}, "pixels need integers 0 to 300; 8 bits"),
        ({"sparse": 2}, r"sparse: array\(2\) must be 0 or 1"),
        ({"input_scale": -1.0}, r"input_scale: array\(-1.\) must be one positive number"),
        (
            {"x_train": np.full((6, 3, 4, 5), 0.3), "x_test": np.ones((3, 3, 4, 5)), "input_scale": 0.5},
            "does not divide",
        ),
    ],
)
def test_wrong_arrays_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        from_arrays("mine", arrays(**changes))


def test_npz_and_function_give_the_same_data(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", **arrays())
    (tmp_path / "mine.py").write_text(
        "import numpy as np\ndef data(): return dict(np.load(__file__.replace('mine.py', 'set.npz')))\n"
        "def whole():\n    from models.data.arrays import from_arrays\n    return from_arrays('w', data())\n"
        "def wrong(): return 3\n"
    )
    first = load(str(tmp_path / "set.npz"))
    for function in ("data", "whole"):
        second = load(f"{tmp_path}/mine.py:{function}")
        assert isinstance(second, Dataset)
        assert np.array_equal(first.train_x, second.train_x)
        assert np.array_equal(first.test_y, second.test_y)
    with pytest.raises(DatasetError, match="must return a Dataset or a dict, not int"):
        load(f"{tmp_path}/mine.py:wrong")


def test_wrong_specs_are_named(tmp_path: Path) -> None:
    (tmp_path / "set.npz").write_bytes(b"PK not really")
    (tmp_path / "bad.py").write_text("def f(): return 1 / 0\n")
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    names = ", ".join([*DATASETS, *(f"{name}:folder" for name in FOLDERS)])
    with pytest.raises(DatasetError, match=rf"unknown data set 'digit'; did you mean 'digits'\? valid are {names}, a"):
        load("digit")
    with pytest.raises(DatasetError, match=r"gone\.npz': there is no such file"):
        load(str(tmp_path / "gone.npz"))
    with pytest.raises(DatasetError, match=r"set\.npz': is not a readable \.npz file"):
        load(str(tmp_path / "set.npz"))
    with pytest.raises(SourceError, match=r"there is no file .*gone\.py"):
        load(f"{tmp_path}/gone.py:f")
    with pytest.raises(SourceError, match="has no function 'g'; it has f"):
        load(f"{tmp_path}/bad.py:g")
    with pytest.raises(SourceError, match="the function failed: ZeroDivisionError"):
        load(f"{tmp_path}/bad.py:f")
    with pytest.raises(SourceError, match=r"broken\.py does not import: ModuleNotFoundError"):
        load(f"{tmp_path}/broken.py:f")
