"""Broken files, for which every library raises something of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.events.recording import EventError


@contextmanager
def named(path: Path, what: str) -> Iterator[None]:
    """Turns whatever a library raises into an EventError that says that the file is not a readable ``what``."""
    try:
        yield
    except (EventError, KeyboardInterrupt, SystemExit):
        raise
    # a panic of a library in Rust is no Exception
    except BaseException as error:
        raise EventError(f"{path}: is not a readable {what}: {error}") from error
