"""Where a data set's folder is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.data import DatasetError
from models.data.folder import folder_of


def test_a_folder_by_name_goes_before_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWEAVE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert folder_of("n_mnist", tmp_path / "own") == tmp_path / "own"
    assert folder_of("n_mnist", "~/own") == tmp_path / "home" / "own"
    assert folder_of("n_mnist", "own/../other") == tmp_path / "other"
    assert folder_of("n_mnist", None) == folder_of("n_mnist", "") == tmp_path / "data" / "n_mnist"


@pytest.mark.parametrize("value", [None, ""])
def test_without_either_it_says_what_to_give(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETWEAVE_DATA", raising=False)
    if value is not None:
        monkeypatch.setenv("NETWEAVE_DATA", value)
    with pytest.raises(DatasetError) as caught:
        folder_of("cifar10", None)
    assert str(caught.value) == (
        "data set 'cifar10': the variable NETWEAVE_DATA names no folder; "
        "set it to the one that holds cifar10/, or give the folder as 'cifar10:/path/to/it'"
    )
