from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netweave.stamp import STAMP, current, digest, make


def writer(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "sub").mkdir()
        (folder / "sub" / "a.txt").write_text(text)

    return write


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_made_once_and_again_when_inputs_change(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    assert make(folder, {"a": 1}, writer("one"))
    assert not make(folder, {"a": 1}, writer("two"))
    assert (folder / "sub" / "a.txt").read_text() == "one"
    assert make(folder, {"a": 2}, writer("two"))
    assert (folder / "sub" / "a.txt").read_text() == "two"
    assert names(tmp_path) == {"stage"}


@pytest.mark.parametrize("damage", ["change", "remove", "add", "stamp"])
def test_damaged_outputs_are_made_again(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "stage"
    make(folder, {}, writer("one"))
    file = folder / "sub" / "a.txt"
    match damage:
        case "change":
            file.write_text("on")
        case "remove":
            file.unlink()
        case "add":
            (folder / "b.txt").touch()
        case "stamp":
            (folder / STAMP).write_text("{")
    assert not current(folder, {})
    assert make(folder, {}, writer("one"))
    assert current(folder, {})
    assert names(folder) == {"sub", STAMP}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("before", [False, True])
def test_nothing_half_written_stays(tmp_path: Path, error: type[BaseException], before: bool) -> None:
    folder = tmp_path / "stage"
    if before:
        make(folder, {"a": 1}, writer("one"))

    def fail(part: Path) -> None:
        (part / "half").touch()
        raise error

    with pytest.raises(error):
        make(folder, {"a": 2}, fail)
    assert names(tmp_path) == ({"stage"} if before else set())
    assert current(folder, {"a": 1}) is before


def test_what_stood_there_stands_there_again_when_the_new_folder_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stage"
    make(folder, {"a": 1}, writer("one"))
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if ".part-" in path.name:
            raise OSError("no space left")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="no space left"):
        make(folder, {"a": 2}, writer("two"))
    assert names(tmp_path) == {"stage"}
    assert current(folder, {"a": 1})
    assert (folder / "sub" / "a.txt").read_text() == "one"


def test_digest_is_of_content_and_names(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder, text in zip(folders, ("one", "one", "two"), strict=True):
        make(folder, {"which": folder.name}, writer(text))
    assert digest(folders[0]) == digest(folders[1]) != digest(folders[2])
    (folders[1] / "sub" / "a.txt").rename(folders[1] / "sub" / "b.txt")
    assert digest(folders[0]) != digest(folders[1])
