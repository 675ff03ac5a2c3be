"""One process at a time works in a run's folder, and what a killed one left half written goes when the next begins."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import IO, Concatenate, ParamSpec, TypeVar

from netweave.config import Config
from netweave.stamp import sweep

LOCK = ".lock"
P = ParamSpec("P")
R = TypeVar("R")

_working: set[Path] = set()
"""Folders that this process works in."""


class BusyError(ValueError):
    """A run's folder that another process works in; the message says which, and since when."""


def alone(stage: Callable[Concatenate[Config, Path, P], R]) -> Callable[Concatenate[Config, Path, P], R]:
    """The stage, for which its run's folder is locked; a stage within another one has the lock already."""

    @wraps(stage)
    def locked(config: Config, run: Path, *rest: P.args, **named: P.kwargs) -> R:
        with working(run):
            return stage(config, run, *rest, **named)

    return locked


@contextmanager
def working(run: Path) -> Iterator[None]:
    """Work in ``run``, made if missing: BusyError where another process does, on this machine or on its file system.

    The system ends the lock with the process, however that ends.
    """
    key = run.resolve()
    if key in _working:
        yield
        return
    fresh = not run.exists()
    run.mkdir(parents=True, exist_ok=True)
    path = run / LOCK
    with _locked(path) as file:
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": _now()}) + "\n")
        file.flush()
        _working.add(key)
        try:
            sweep(run)
            yield
        finally:
            _working.remove(key)
            # while it is still locked: whoever opened it before finds that it is no longer the one there
            path.unlink(missing_ok=True)
            if fresh:
                with contextlib.suppress(OSError):
                    run.rmdir()


def _locked(path: Path) -> IO[str]:
    """``path``, emptied and locked; BusyError where it is locked already."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                raise BusyError(f"{path.parent}: {_who(file)}; wait for it, end it, or name another folder") from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                file.truncate(0)
                return file
        file.close()


def _who(file: IO[str]) -> str:
    """Whom a locked file names."""
    file.seek(0)
    try:
        entry = json.loads(file.read())
        where = "" if entry["host"] == socket.gethostname() else f" on {entry['host']}"
        return f"process {entry['pid']}{where} has been working there since {entry['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process has just begun to work there"


def _now() -> str:
    return datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
