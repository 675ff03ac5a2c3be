"""Finished evaluations on disk: which result belongs to which inputs, and files that are none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from netweave.store import Store
from reports.artifact import ArtifactError


def test_a_result_is_found_by_kind_and_inputs_whatever_their_order(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert store.get("square", {"x": 2, "y": "a"}) is None
    store.put("square", {"x": 2, "y": "a"}, [4, None])
    assert Store(tmp_path / "store").get("square", {"y": "a", "x": 2}) == [4, None]
    assert store.get("cube", {"x": 2, "y": "a"}) is None
    assert store.get("square", {"x": "2", "y": "a"}) is None
    store.put("square", {"y": "a", "x": 2}, 5)
    assert store.get("square", {"x": 2, "y": "a"}) == 5
    (path,) = (tmp_path / "store").glob("*/*")
    assert json.loads(path.read_text(encoding="utf-8")) == {"inputs": {"x": 2, "y": "a"}, "result": 5}


def test_a_result_that_cannot_be_written_in_full_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.put("square", {"x": 1}, 1)

    def full(self: Path, target: Path) -> Path:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        store.put("square", {"x": 1}, 2)
    assert store.get("square", {"x": 1}) == 1
    # what is left of the write is no result: its name begins with a dot and ends in the process's number
    assert [path.suffix for path in (tmp_path / "square").glob(".*")] == [f".{os.getpid()}"]


@pytest.mark.parametrize("text", ["{}", "[1]", "", '{"inputs": {"x": 1}, "resu'])
def test_a_file_that_is_no_result_is_named(tmp_path: Path, text: str) -> None:
    store = Store(tmp_path)
    store.put("square", {"x": 1}, 1)
    (path,) = (tmp_path / "square").glob("*.json")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"is no finished evaluation \(.*\); delete it to have it made again"):
        store.get("square", {"x": 1})
