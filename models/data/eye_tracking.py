"""3ET+ recordings as sequences of voxel grids with labels, as the AIS 2024 challenge and SEE take them.

640 x 480 events fall into 80 x 60 sites; every 50 ms gives a grid of three bins and, as its
label, where the pupil was at the start of those 50 ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.events.formats.eye_tracking import LABEL_US, labels, read
from models.events.recording import EventError, Policy, Recording
from models.events.represent import downscaled, voxel_grid
from models.events.window import between

FACTOR = 8
BINS = 3
FRAME_US = 50_000
LENGTH = 30
STEPS = 4
SCALE = 1 / STEPS


@dataclass(frozen=True, eq=False)
class Sequence:
    """``n`` frames, one after another every 50 ms.

    ``grids``: int8 ``[n, 3, 60, 80]``, integers whose ``SCALE``-fold is the voxel grid; a site
    without any but 0 is inactive. ``pupil``: float32 ``[n, 2]`` of (x, y), in pixels of the grid.
    ``closed``: bool ``[n]``. ``start``: microseconds at which the first begins.
    """

    grids: np.ndarray
    pupil: np.ndarray
    closed: np.ndarray
    start: int

    def __len__(self) -> int:
        return len(self.grids)


def sequences(
    path: Path, length: int = LENGTH, step: int | None = None, policy: Policy = "error"
) -> Iterator[Sequence]:
    """Sequences of ``length`` frames, one every ``step`` frames (``length`` unless given), of a 3ET+ recording.

    ``path`` is its ``.h5``, with ``label.txt`` beside it. There are as many frames as both have:
    labels, and events that last to the frame's end. A last sequence that would be shorter is left out.
    """
    events = downscaled(read(path, policy), FACTOR)
    marks = labels(path.with_name("label.txt"))[:: FRAME_US // LABEL_US]
    last = int(events.t[-1]) if len(events) else 0
    count = min(len(marks), last // FRAME_US)
    spans = [(number * FRAME_US, (number + 1) * FRAME_US) for number in range(count)]
    grids = np.zeros((count, BINS, events.height, events.width), np.int8)
    for number, (start, stop) in enumerate(spans):
        grids[number] = voxel_grid(between(events, start, stop), BINS, (start, stop), STEPS)
    for first in range(0, count - length + 1, step or length):
        part = slice(first, first + length)
        yield Sequence(
            grids[part],
            (marks[part, :2] / FACTOR).astype(np.float32),
            marks[part, 2] == 1,
            first * FRAME_US,
        )


def frames_by_count(paths: Iterable[Path], share: float, count: int) -> np.ndarray:
    """int8 ``[count, 3, 60, 80]``: voxel grids of windows with as many events each, evenly over the recordings.

    They are as few as make the mean share of active sites over all grids ``share`` or more. Windows may overlap where
    ``count`` of them are more than the recordings hold.
    """
    recordings = [downscaled(read(path), FACTOR) for path in paths]
    least, most = 1, min((len(events) for events in recordings), default=0)
    if not most or _by_count(recordings, most, count).any(axis=1).mean() < share:
        raise EventError(f"share: {share} of the sites are active in no window of {most} events")
    while least < most:
        events = (least + most) // 2
        enough = _by_count(recordings, events, count).any(axis=1).mean() >= share
        least, most = (least, events) if enough else (events + 1, most)
    return _by_count(recordings, most, count)


def _by_count(recordings: list[Recording], events: int, count: int) -> np.ndarray:
    """``count`` grids of so many ``events``, their starts evenly over all places where one can start."""
    ends = np.cumsum([len(recording) - events + 1 for recording in recordings])
    grids = []
    for place in (np.arange(count) * ends[-1] // count).tolist():
        number = int(np.searchsorted(ends, place, side="right"))
        first = place - (int(ends[number - 1]) if number else 0)
        window = recordings[number].select(slice(first, first + events))
        grids.append(voxel_grid(window, BINS, None, STEPS))
    return np.array(grids)
