"""Data sets by name: from archives, from functions, and names that are wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.data import Dataset, DatasetError, load
from models.data.load import DATASETS, FOLDERS
from models.frontend.source import SourceError
from tests.models.data.arrays import arrays
from tests.models.events import files


def test_data_sets_load_without_torch() -> None:
    code = "import sys, models.data; models.data.load('digits'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_npz_and_function_give_the_same_data(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", allow_pickle=False, **arrays())
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
