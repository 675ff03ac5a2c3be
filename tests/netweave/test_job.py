from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from netweave.errors import InternalError
from netweave.job import Job, StageError, run_jobs
from netweave.listener import Listener, Progress
from reports.artifact import ArtifactError


def write(text: str, progress: Progress, folder: Path) -> None:
    progress("writing", 1, 1)
    (folder / "a.txt").write_text(text)


def fail(error: type[Exception], progress: Progress, folder: Path) -> None:
    (folder / "half.txt").touch()
    raise error("no such budget")


def hang(progress: Progress, folder: Path) -> None:
    (folder / "half.txt").touch()
    progress("hanging", 0, 1)
    time.sleep(600)


class Heard(Listener):
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.steps: list[str] = []
        self.ended: dict[str, bool] = {}

    def begin(self, stage: str) -> None:
        self.begun.append(stage)

    def step(self, stage: str, what: str, done: int, total: int) -> None:
        self.steps.append(f"{stage} {what} {done} of {total}")

    def end(self, stage: str, fresh: bool, folder: Path) -> None:
        self.ended[stage] = fresh


def job(folder: Path, name: str, text: str) -> Job:
    return Job(name, folder / name, {"text": text}, partial(write, text))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_jobs_in_processes_are_heard_of(tmp_path: Path) -> None:
    heard = Heard()
    run_jobs([job(tmp_path, name, name) for name in "abc"], heard)
    assert sorted(heard.begun) == ["a", "b", "c"]
    assert sorted(heard.steps) == [f"{name} writing 1 of 1" for name in "abc"]
    assert heard.ended == dict.fromkeys("abc", True)
    assert {name: (tmp_path / name / "a.txt").read_text() for name in "abc"} == {name: name for name in "abc"}


def test_current_jobs_are_kept(tmp_path: Path) -> None:
    run_jobs([job(tmp_path, "a", "1"), job(tmp_path, "b", "1")], Listener())
    heard = Heard()
    run_jobs([job(tmp_path, "a", "1"), job(tmp_path, "b", "2")], heard)
    assert heard.ended == {"a": False, "b": True}


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN], ids=["shell", "background"])
def test_error_stops_the_others_and_leaves_nothing(tmp_path: Path, handler: Any) -> None:
    """Also where interrupts are ignored, as a shell has it for what runs in the background."""
    before = signal.signal(signal.SIGINT, handler)
    try:
        check_error_stops_the_others(tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)


def check_error_stops_the_others(tmp_path: Path) -> None:
    begin = time.monotonic()
    jobs = [Job("hang", tmp_path / "hang", {}, hang), Job("bad", tmp_path / "bad", {}, partial(fail, ArtifactError))]
    with pytest.raises(StageError, match="no such budget"):
        run_jobs(jobs, Listener())
    assert time.monotonic() - begin < 60
    assert names(tmp_path) == set()


@pytest.mark.few(1)
@pytest.mark.parametrize("error", [KeyError, ValueError])
def test_other_errors_keep_their_traceback(tmp_path: Path, error: type[Exception]) -> None:
    """A ValueError of no class of netweave's is a bug."""
    jobs = [job(tmp_path, "good", ""), Job("bad", tmp_path / "bad", {}, partial(fail, error))]
    with pytest.raises(InternalError, match=f"{error.__name__}: .?no such budget") as caught:
        run_jobs(jobs, Listener())
    assert "in fail" in str(caught.value.__cause__)
    assert not (tmp_path / "bad").exists()
