"""Files that are not what they are called, read by ``models.ir.files``."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from models.ir.files import read_npz, read_toml


def test_a_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("[a.b]\nc = 1\n")
    assert read_toml(path) == {"a": {"b": {"c": 1}}}


def test_a_key_of_many_parts_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("x = 1\n" + ".".join("a" * 2000) + " = 1\n")
    with pytest.raises(ValueError, match=r"A key of more than \d+ parts \(at line 2\)"):
        read_toml(path)


def test_a_file_in_an_archive_that_is_no_array_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, whole=np.arange(3))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("note", io.BytesIO(b"words").getvalue())
    with pytest.raises(ValueError, match="'note' in it is no array"):
        read_npz(path)
