"""Two processes and one folder: who may work there, and what a killed one leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netweave.lock import LOCK, BusyError, working
from netweave.stamp import current, make

WORKS = """
import signal, sys, time
from pathlib import Path
from netweave.lock import working
from netweave.stamp import make

# what is started in the background ignores interrupts, and so would this process
signal.signal(signal.SIGINT, signal.default_int_handler)

def write(part):
    (part / "half").touch()
    print("writing", flush=True)
    time.sleep(600)

run = Path(sys.argv[1])
with working(run):
    make(run / "train", {"a": 2}, write)
"""


def started(run: Path) -> subprocess.Popen[str]:
    """A process that is writing a stage's folder."""
    process = subprocess.Popen([sys.executable, "-c", WORKS, str(run)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    return process


def end(process: subprocess.Popen[str], how: signal.Signals) -> None:
    process.send_signal(how)
    process.wait(60)
    assert process.stdout is not None
    process.stdout.close()


def touch(part: Path) -> None:
    (part / "whole").touch()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_second_is_told_who_works_there_and_since_when(tmp_path: Path) -> None:
    before = time.strftime("%Y-%m-%d %H:%M:%S")
    process = started(tmp_path)
    try:
        with pytest.raises(BusyError) as caught, working(tmp_path):
            pytest.fail("two work in one folder")
    finally:
        end(process, signal.SIGKILL)
    found = re.fullmatch(
        rf"{re.escape(str(tmp_path))}: process {process.pid} has been working there since (\S+ [\d:]+)\S*; "
        "wait for it, end it, or name another folder",
        str(caught.value),
    )
    assert found, caught.value
    assert before <= found[1] <= time.strftime("%Y-%m-%d %H:%M:%S")


def test_what_a_killed_process_left_goes_when_the_next_begins(tmp_path: Path) -> None:
    with working(tmp_path):
        make(tmp_path / "train", {"a": 1}, touch)
    process = started(tmp_path)
    end(process, signal.SIGKILL)
    assert names(tmp_path) == {"train", LOCK, f".train.part-{process.pid}"}
    with working(tmp_path):
        assert names(tmp_path) == {"train", LOCK}
    assert names(tmp_path) == {"train"}
    assert current(tmp_path / "train", {"a": 1})


@pytest.mark.parametrize("place", [".", "explore"])
def test_a_folder_that_was_being_replaced_is_put_back(tmp_path: Path, place: str) -> None:
    """Killed between the two renames: the old folder is away, the new one not yet there."""
    stage = tmp_path / place / "zu3eg"
    make(stage, {"a": 1}, touch)
    stage.rename(stage.with_name(".zu3eg.old-77"))
    stage.with_name(".zu3eg.part-77").mkdir()
    other = tmp_path / ".kept"
    other.mkdir()
    with working(tmp_path):
        assert current(stage, {"a": 1})
    assert names(stage.parent) - {".kept"} == {"zu3eg"}
    assert other.is_dir()


def test_an_interrupted_process_leaves_nothing(tmp_path: Path) -> None:
    process = started(tmp_path / "run")
    end(process, signal.SIGINT)
    assert names(tmp_path) == set()


def test_a_stage_within_a_run_has_the_lock_already(tmp_path: Path) -> None:
    with working(tmp_path):
        with working(tmp_path / "." / ""):
            pass
        assert LOCK in names(tmp_path)
    assert names(tmp_path) == set()


def test_a_lock_that_was_removed_meanwhile_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process ends between the opening and the locking of its file."""
    path, opened, open_file = tmp_path / LOCK, [], Path.open

    def opening(self: Path, *arguments: str, **named: str) -> object:
        file = open_file(self, *arguments, **named)  # type: ignore[call-overload]
        if self == path and not opened:
            path.unlink()
        opened.append(self)
        return file

    monkeypatch.setattr(Path, "open", opening)
    with working(tmp_path):
        assert path.is_file()
        assert os.stat(path).st_size
    assert opened == [path, path]
