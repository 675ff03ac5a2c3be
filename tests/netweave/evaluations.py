"""Evaluations that leave a mark, for tests of who evaluates what."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from netweave.workers import tell


def square(x: int, marks: Path) -> int:
    """Adds a line to a file of its own."""
    with (marks / str(x)).open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    return x * x


def deadly(x: int, marks: Path) -> int:
    """The first time a worker does it, it is killed."""
    first = not (marks / str(x)).exists()
    result = square(x, marks)
    if first and x == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return result


def telling(x: int, marks: Path) -> int:
    """Says how far it is, and takes long enough to be heard."""
    tell(f"at {x}")
    time.sleep(0.5)
    return square(x, marks)


def evaluated(marks: Path) -> dict[int, int]:
    """How often each was evaluated."""
    return {int(path.name): len(path.read_text(encoding="utf-8").split()) for path in marks.iterdir()}
