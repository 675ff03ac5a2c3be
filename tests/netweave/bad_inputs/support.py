"""What every subject of bad inputs needs: the command in this process, tables of rows, and ways to break a file."""

from __future__ import annotations

import gzip
import json
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from netweave import cli

ROOT = Path(__file__).resolve().parents[3]
DEVICE = '[[device]]\nname = "ecp5-25k"\n'
DEEP = "[" * 200_000
"""Deeper than any parser recurses."""

TABLES: list[Sequence[tuple[Any, ...]]] = []
"""Every table that ``rows_of`` was given."""


QUICK = 6
"""Rows of a table that `make test` runs; `make test-all` runs all of them."""


def rows_of(arguments: str, table: Sequence[tuple[Any, ...]]) -> Callable[[Any], Any]:
    """Run a test on each row of a table, whose first column is the row's name."""
    TABLES.append(table)
    rows = pytest.mark.parametrize(arguments, [row[1:] for row in table], ids=[row[0] for row in table])
    return lambda test: pytest.mark.few(QUICK)(rows(test))


class Command:
    """The command line in this process, in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys
        self.run = folder / "run"

    def __call__(self, *words: str) -> tuple[int, str]:
        """Exit code, and what standard error got, its white space made equal and without the sides of boxes."""
        self._monkeypatch.chdir(self.folder)
        self._monkeypatch.setattr(sys, "argv", ["netweave", *words])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return int(caught.value.code or 0), " ".join(self._capsys.readouterr().err.replace("│", " ").split())

    def refuses(self, line: str, says: str) -> None:
        """Hold that the command line ends as a user's error that has these words, an ellipsis where others may be."""
        code, said = self(*line.split())
        place = 0
        for part in says.split(" ... "):
            place = said.find(part, place)
            assert place >= 0, f"{part!r} is not in {said!r}"
            place += len(part)
        assert code == 2, said
        assert "Traceback" not in said


Break = Callable[[Path], object]
"""What makes a file that is right a wrong one."""


def text(content: str) -> Break:
    return lambda path: path.write_text(content)


def raw(content: bytes) -> Break:
    return lambda path: path.write_bytes(content)


def removed(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    """A folder in a file's place."""
    path.unlink()
    path.mkdir()


def cut(path: Path) -> None:
    """The first half of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flipped(path: Path) -> None:
    """One bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def zipped(content: str) -> Break:
    return lambda path: path.write_bytes(gzip.compress(content.encode()))


def entry(*keys: Any, value: Any) -> Break:
    """A JSON file, compressed or not, with another value at these keys."""
    return _changed(keys, lambda inner, key: inner.__setitem__(key, value))


def without(*keys: Any) -> Break:
    """A JSON file, compressed or not, without what is at these keys."""
    return _changed(keys, lambda inner, key: inner.pop(key))


def _changed(keys: tuple[Any, ...], change: Callable[[Any, Any], object]) -> Break:
    def put(path: Path) -> None:
        packed = path.suffix == ".gz"
        content = json.loads(gzip.decompress(path.read_bytes()) if packed else path.read_text())
        before, inner = json.dumps(content), content
        for key in keys[:-1]:
            inner = inner[key]
        change(inner, keys[-1])
        after = json.dumps(content)
        assert after != before
        path.write_bytes(gzip.compress(after.encode()) if packed else after.encode())

    return put


def arrays(change: Callable[[dict[str, np.ndarray]], object]) -> Break:
    """An archive of arrays after a change of them."""

    def rewrite(path: Path) -> None:
        with np.load(path) as archive:
            content = {name: archive[name] for name in archive.files}
        change(content)
        np.savez(path, **content)  # type: ignore[arg-type]

    return rewrite


def scaled(factor: float) -> Break:
    """An archive of arrays, its floats times a factor."""

    def scale(content: dict[str, np.ndarray]) -> None:
        with np.errstate(over="ignore"):
            content |= {name: own * np.float32(factor) for name, own in content.items() if own.dtype.kind == "f"}

    return arrays(scale)


def emptied(path: Path) -> None:
    """An archive without any array."""
    zipfile.ZipFile(path, "w").close()
