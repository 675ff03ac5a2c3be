"""Broken files: one error for all that libraries raise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.events.recording import EventError


@contextmanager
def reading_errors(path: Path, what: str) -> Iterator[None]:
    """Turns every error of a library into an EventError with the message that the file is not a readable ``what``."""
    try:
        yield
    except (EventError, KeyboardInterrupt, SystemExit):
        raise
    # a panic of a library written in Rust is a BaseException, but no Exception
    except BaseException as error:
        raise EventError(f"{path}: is not a readable {what}: {error}") from error
