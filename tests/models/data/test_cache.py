"""Arrays that are made once, and again when they are gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.data.cache import cached_arrays


def test_the_cache_does_without_a_folder_to_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    calls = []

    def make() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"a": np.arange(3)}

    for _ in range(2):
        assert cached_arrays("x", {"b": 1}, make)["a"].tolist() == [0, 1, 2]
    assert len(calls) == 2


@pytest.mark.usefixtures("cache")
def test_arrays_are_made_once_for_what_they_are_made_of() -> None:
    calls: list[int] = []

    def make() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"a": np.arange(len(calls))}

    first = cached_arrays("x", {"b": 1, "c": [2, 3]}, make)
    assert cached_arrays("x", {"c": [2, 3], "b": 1}, make)["a"].tolist() == first["a"].tolist() == [0]
    assert cached_arrays("x", {"b": 1, "c": [3, 2]}, make)["a"].tolist() == [0, 1]
    assert cached_arrays("y", {"b": 1, "c": [2, 3]}, make)["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("content", [b"", b"PK no archive", None])
def test_a_file_that_cannot_be_read_is_made_anew(cache: Path, content: bytes | None) -> None:
    cached_arrays("x", {}, lambda: {"a": np.arange(5)})
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-30] if content is None else content)
    assert cached_arrays("x", {}, lambda: {"a": np.arange(5)})["a"].tolist() == [0, 1, 2, 3, 4]
    assert [path.read_bytes() for path in cache.iterdir()] == [whole]


def test_what_cannot_be_written_leaves_no_file(cache: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        cached_arrays("x", {}, lambda: {"a": np.array([None])})
    assert list(cache.iterdir()) == []
