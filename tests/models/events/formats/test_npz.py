"""Events as numpy's archives: back from what was written, and wrong arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.events import EventError
from models.events.formats import npz
from models.events.read import read
from tests.models.events.files import npz_file, random_events, rows, write_file


def test_an_archive_is_read_and_written(tmp_path: Path) -> None:
    events = random_events(4, 50, 20, 30)
    result = read(npz_file(tmp_path / "c.npz", events, 20, 30))
    assert (rows(result), result.height, result.width) == (events, 20, 30)
    npz.write(result, tmp_path / "d.npz")
    assert read(tmp_path / "d.npz") == result


def test_a_size_stands_instead_of_the_archives(tmp_path: Path) -> None:
    path = npz_file(tmp_path / "a.npz", [(1, 2, 3, 1)], 20, 30)
    result = read(path, size=(4, 5))
    assert (result.height, result.width) == (4, 5)


def test_wrong_archives_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", t=[1], x=[1.5], y=[1], p=[1], height=4, width=4)
    with pytest.raises(EventError, match=r"x is float64 \(1,\); t, x, y and p must be integers"):
        read(tmp_path / "c.npz")
    np.savez(tmp_path / "b.npz", t=[1, 2], x=[1, 1], y=[1], p=[1, 1], height=4, width=4)
    with pytest.raises(EventError, match=r"y is int64 \(1,\); .* must be integers \[n\] of one length$"):
        read(tmp_path / "b.npz")
    np.savez(tmp_path / "d.npz", t=[1], x=[1], y=[1], p=[1])
    with pytest.raises(EventError, match="has no height and width"):
        read(tmp_path / "d.npz")
    with pytest.raises(EventError, match=r"is not a readable \.npz file"):
        read(write_file(tmp_path / "a.npz", b"PK\x03\x04abc"))
