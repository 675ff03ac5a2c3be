"""Jobs of a stage, one a device, at the same time in processes of their own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from netweave.errors import InternalError, is_user_error
from netweave.listener import Listener, Progress
from netweave.stamp import current, make


class StageError(ValueError):
    """What stopped a job in another process; the message is that of the error there."""


@dataclass(frozen=True)
class Job:
    """A folder to be made from ``inputs`` by ``write``, which is given a Progress and the folder to fill."""

    name: str
    folder: Path
    inputs: Mapping[str, object]
    write: Callable[[Progress, Path], None]

    def run(self, listener: Listener) -> None:
        listener.begin(self.name)
        fresh = make(self.folder, self.inputs, partial(self.write, partial(listener.step, self.name)))
        listener.end(self.name, fresh, self.folder)


def run_jobs(jobs: Sequence[Job], listener: Listener) -> None:
    """Run all jobs, as many at once as there are processors; those that are current stay as they are.

    An error stops the others, and is raised here: as StageError where a user can mend it, else as InternalError.
    """
    waiting = []
    for job in jobs:
        if current(job.folder, job.inputs):
            job.run(listener)
        else:
            waiting.append(job)
    if len(waiting) < 2:
        for job in waiting:
            job.run(listener)
        return
    context = multiprocessing.get_context("spawn")
    events: Any = context.Queue()
    running: dict[str, BaseProcess] = {}
    try:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                job = waiting.pop(0)
                running[job.name] = process = context.Process(target=_work, args=(job, events))
                process.start()
            kind, name, *values = events.get()
            if kind == "stopped":
                running.pop(name).join()
                _raise(*values)
            else:
                getattr(listener, kind)(name, *values)
    finally:
        for process in running.values():
            # an interrupt, not a kill: the job clears away what it has half written; again for one that just began
            while process.is_alive():
                with contextlib.suppress(OSError):
                    os.kill(process.pid or 0, signal.SIGINT)
                process.join(5)


class _Sender(Listener):
    def __init__(self, events: Any) -> None:
        self._events = events

    def begin(self, stage: str) -> None:
        self._events.put(("begin", stage))

    def step(self, stage: str, what: str, done: int, total: int) -> None:
        self._events.put(("step", stage, what, done, total))

    def end(self, stage: str, fresh: bool, folder: Path) -> None:
        self._events.put(("end", stage, fresh, folder))


def _work(job: Job, events: Any) -> None:
    # a shell's background jobs ignore interrupts, and so would this process
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        job.run(_Sender(events))
    except KeyboardInterrupt:
        events.put(("stopped", job.name, "interrupted", None))
    except BaseException as error:
        message, trace = f"{type(error).__name__}: {error}", traceback.format_exc()
        events.put(("stopped", job.name, *((str(error), None) if is_user_error(error) else (message, trace))))
    else:
        events.put(("stopped", job.name, None, None))


def _raise(message: str | None, trace: str | None) -> None:
    """What a job ended with; ``trace`` is None where a user can mend it."""
    if trace is not None:
        raise InternalError(message) from RuntimeError(f"\n{trace}")
    if message is not None:
        raise StageError(message)
