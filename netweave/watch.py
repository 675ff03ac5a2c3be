"""What the command shows while stages go on: moving bars on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from netweave.errors import is_user_error
from netweave.listener import Listener
from reports.artifact import ArtifactError

EVERY = 30.0
"""Seconds between two lines about a stage, where no bar can move."""


@dataclass
class Going:
    """A stage that goes on: since when, and how far it is with what."""

    began: float
    what: str = ""
    done: int = 0
    total: int = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def __str__(self) -> str:
        share = f", {self.done} of {self.total} ({self.done / self.total:.0%})" if self.total else ""
        return f"{self.what}{share}, {self.seconds:.0f} s".lstrip(", ")


class Watcher(Listener):
    """One line a finished stage. ``going``: the stages that go on; ``finished``, ``warnings``: what was heard."""

    def __init__(self, out: Console, err: Console) -> None:
        self.out, self._err = out, err
        self.going: dict[str, Going] = {}
        self.finished: list[str] = []
        self.warnings: list[str] = []

    def begin(self, stage: str) -> None:
        self.going[stage] = Going(time.monotonic())

    def step(self, stage: str, what: str, done: int, total: int) -> None:
        going = self.going[stage]
        going.what, going.done, going.total = what, done, total

    def end(self, stage: str, fresh: bool, folder: Path) -> None:
        going = self.going.pop(stage)
        self.finished.append(stage)
        duration = f"{going.seconds:7.1f} s" if fresh else "     kept"
        self.out.print(f"[green]✓[/] {stage:<20} [dim]{duration}[/]   {escape(str(folder))}", soft_wrap=True)

    def note(self, text: str) -> None:
        self._err.print(f"[cyan]note:[/] {escape(text)}", soft_wrap=True)

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        self._err.print(f"[yellow]warning:[/] {escape(text)}", soft_wrap=True)

    def stopped(self, folder: Path) -> None:
        """Say what an interrupt leaves."""
        remaining = [*self.finished, "what was there before and every finished evaluation"]
        where = f"stopped in {', '.join(self.going) or 'no stage'}; {folder} keeps {', '.join(remaining)}"
        self._err.print(f"\n{where}; the same command goes on from there", soft_wrap=True, markup=False)


class Bars(Watcher):
    """A moving bar for each stage that goes on."""

    def __init__(self, out: Console, err: Console) -> None:
        super().__init__(out, err)
        what = TextColumn("{task.description}")
        columns = (SpinnerColumn(), what, BarColumn(28), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=out, transient=True)
        self._tasks: dict[str, TaskID] = {}

    @contextmanager
    def showing(self) -> Iterator[None]:
        with self._progress:
            yield

    def begin(self, stage: str) -> None:
        super().begin(stage)
        self._tasks[stage] = self._progress.add_task(stage, total=None)

    def step(self, stage: str, what: str, done: int, total: int) -> None:
        super().step(stage, what, done, total)
        self._progress.update(self._tasks[stage], description=f"{stage}: {what}", completed=done, total=total)

    def end(self, stage: str, fresh: bool, folder: Path) -> None:
        self._progress.remove_task(self._tasks.pop(stage))
        super().end(stage, fresh, folder)


class Lines(Watcher):
    """A line every few seconds for each stage that goes on: for logs, which no bar moves in."""

    def __init__(self, out: Console, err: Console, every: float = EVERY) -> None:
        super().__init__(out, err)
        self._every = every

    @contextmanager
    def showing(self) -> Iterator[None]:
        over = threading.Event()

        def tell() -> None:
            while not over.wait(self._every):
                for stage, going in list(self.going.items()):
                    self.out.print(f"  {stage}: {going}", soft_wrap=True, markup=False)

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield
        finally:
            over.set()
            teller.join()


@contextmanager
def watching(folder: Path, out: Console, err: Console) -> Iterator[Watcher]:
    """A watcher of stages that work in ``folder``, showing what it hears meanwhile."""
    watcher = Bars(out, err) if out.is_terminal else Lines(out, err)
    try:
        with watcher.showing():
            yield watcher
    except KeyboardInterrupt:
        watcher.stopped(folder)
        raise
    except Exception as error:
        if watcher.warnings and not is_user_error(error):
            warnings = "\n".join(watcher.warnings)
            why = f"what was taken as it is cannot be used ({type(error).__name__}: {error})"
            raise ArtifactError(f"{why}\n{warnings}") from error
        raise
