"""The layout of DvsGesture: trials as AEDAT 3.1, a file of labels beside each, and a list of the trials of each split.

``trials_to_train.txt`` and ``trials_to_test.txt`` name files ``<user>_<light>.aedat``. Beside each
lies ``<user>_<light>_labels.csv`` with lines ``class,startTime_usec,endTime_usec``.
(Amir et al., A low power, fully event-based gesture recognition system, 2017.)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from models.events.formats import aedat3
from models.events.recording import EventError, Policy, Recording
from models.events.window import between

LISTS = {"train": "trials_to_train.txt", "test": "trials_to_test.txt"}
HEADER = "class,startTime_usec,endTime_usec"


def trials(folder: Path, split: str) -> list[Path]:
    """The recordings of a split, ``train`` or ``test``."""
    if split not in LISTS:
        raise EventError(f"{folder}: split {split!r} must be one of {', '.join(LISTS)}")
    names = (folder / LISTS[split]).read_text(encoding="utf-8").split()
    return [folder / name for name in names]


def gestures(trial: Path, policy: Policy = "error") -> Iterator[tuple[int, Recording]]:
    """The class of each gesture of a trial, 1 to 11, and its events from its start to before its end."""
    events = aedat3.read(trial, policy)
    path = trial.with_name(f"{trial.stem}_labels.csv")
    lines = path.read_text(encoding="utf-8-sig").split()
    if not lines or lines[0] != HEADER:
        raise EventError(f"{path}: its first line must be {HEADER!r}")
    for number, line in enumerate(lines[1:], 2):
        parts = line.split(",")
        if len(parts) != 3 or not all(part.isdigit() for part in parts):
            raise EventError(f"{path}: line {number}: {line!r} must be three integers, {HEADER}")
        label, start, stop = map(int, parts)
        if stop < start:
            raise EventError(f"{path}: line {number}: end {stop} us must be at or after the start, {start} us")
        yield label, between(events, start, stop)
