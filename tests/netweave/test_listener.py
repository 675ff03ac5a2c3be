"""The listener's methods: what it does not show, and that those who show it listen to nothing else."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from netweave.listener import Listener
from netweave.watch import Bars, Lines, Watcher

METHODS = {name: inspect.signature(method) for name, method in inspect.getmembers(Listener, inspect.isfunction)}


def test_it_shows_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    listener = Listener()
    listener.begin("train")
    # a step of a stage that never began, and an end of another, are no error
    listener.step("quantize", "epochs", 1, 3)
    listener.end("explore", True, tmp_path)
    listener.note("a note")
    listener.warn("a warning")
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [Watcher, Bars, Lines])
def test_each_watcher_hears_all_with_the_same_parameters(kind: type[Listener]) -> None:
    for name, signature in METHODS.items():
        assert getattr(kind, name) is not getattr(Listener, name), f"{name} is not heard"
        assert inspect.signature(getattr(kind, name)) == signature
