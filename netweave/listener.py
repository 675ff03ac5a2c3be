"""Who is told how a run goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Progress = Callable[[str, int, int], None]
"""Told what is being done, and how many of how many steps of it are."""


class Listener:
    """Hears everything and does nothing; the command line's shows it. Several stages may be going on at once."""

    def begin(self, stage: str) -> None:
        """A stage begins."""

    def step(self, stage: str, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` steps of something within the stage."""

    def end(self, stage: str, fresh: bool, folder: Path) -> None:
        """A stage's ``folder`` is complete: made now, or ``fresh`` is false and it was before."""

    def note(self, text: str) -> None:
        """Something that was decided of the user's data or network, and that whoever waits should know."""

    def warn(self, text: str) -> None:
        """Something that stops nothing, and that whoever waits should know."""
