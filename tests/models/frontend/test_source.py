"""Functions of a user's own file: how they are found and called, and what is said where that fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from models.frontend.source import SourceError, call, is_function, load_function


@pytest.mark.parametrize(
    ("spec", "expected"),
    [("net.py:build", True), ("a b/net.py:f", True), ("net.py", False), ("digits", False), ("cifar10:folder", False)],
)
def test_a_function_is_named_by_a_python_file_and_a_name(spec: str, expected: bool) -> None:
    assert is_function(spec) is expected


def test_a_file_imports_from_its_own_folder_and_leaves_the_path_alone(tmp_path: Path) -> None:
    """Also where the folder's name has a colon in it."""
    folder = tmp_path / "a:b"
    folder.mkdir()
    (folder / "netweave_test_sibling.py").write_text("NUMBER = 42\n")
    (folder / "net.py").write_text("from netweave_test_sibling import NUMBER\n\ndef build():\n    return NUMBER\n")
    before = list(sys.path)
    assert load_function(f"{folder}/net.py:build")() == 42
    assert sys.path == before


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_text("def build():\n    return 'old'\n")
    assert call(f"{file}:build") == "old"
    file.write_text("def build():\n    return 'the new one'\n")
    assert call(f"{file}:build") == "the new one"


def test_the_path_is_restored_where_the_file_fails(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("1 / 0\n")
    before = list(sys.path)
    with pytest.raises(SourceError):
        load_function(f"{tmp_path}/net.py:build")
    assert sys.path == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no file {file}"),
        ("1 / 0", "{file} does not import: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "{file} does not import: SystemExit: 3"),
        ("", "{file} has no function 'build'; it has none"),
        ("build = 3", "{file} has no function 'build'; it has none"),
        ("def _own(): ...\ndef built(): ...\nclass Other: ...", "{file} has no function 'build'; it has built, Other"),
        ("def build(): [][1]", "the function failed: IndexError: list index out of range"),
        ("def build(): exit(3)", "the function failed: SystemExit: 3"),
    ],
)
def test_the_error_says_what_failed(tmp_path: Path, content: str | None, reason: str) -> None:
    file = tmp_path / "net.py"
    if content is not None:
        file.write_text(content)
    spec = f"{file}:build"
    with pytest.raises(SourceError) as caught:
        call(spec)
    assert str(caught.value) == f"{spec!r}: {reason.format(file=file)}"
