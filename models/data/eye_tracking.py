"""3ET+ recordings as sequences of voxel grids with labels, as the AIS 2024 challenge and SEE take them.

Events of 640 x 480 pixels are merged into 80 x 60 sites. Every 50 ms give one frame: a voxel grid of three bins by
one of two rules, and the position of the pupil at the start of those 50 ms as its label.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.events.formats.eye_tracking import LABEL_US, labels, read
from models.events.recording import EventError, Policy, Recording
from models.events.represent import downscaled, esda_voxel_grid, voxel_grid
from models.events.window import between

FACTOR = 8
BINS = 3
FRAME_US = 50_000
LENGTH = 30
STEPS = 4
SCALE = 1 / STEPS


@dataclass(frozen=True, eq=False)
class Sequence:
    """``n`` consecutive frames of 50 ms.

    Parameters
        grids   int8 ``[n, 3, 60, 80]``; the voxel grids are these integers times the scale
        active  bool ``[n, 60, 80]``, the active sites: those with an integer that is not 0; in ESDA's grid those with a
                real value that is not 0, most of which have only integers of 0
        pupil   float32 ``[n, 2]``, (x, y) of the pupil in pixels of the grid
        closed  bool ``[n]``, whether the eye is closed
        start   start of the first frame in microseconds
    """

    grids: np.ndarray
    active: np.ndarray
    pupil: np.ndarray
    closed: np.ndarray
    start: int

    def __len__(self) -> int:
        return len(self.grids)


def centred(window: Recording, span: tuple[int, int], scale: float) -> tuple[np.ndarray, np.ndarray]:
    """(integers, active sites) of netweave's ``voxel_grid``: bins' centres from the start to the end of ``span``."""
    steps = round(1 / scale)
    if steps < 1 or scale != 1 / steps:
        raise EventError(f"scale: {scale} must be 1 over a whole number for the grid 'centred', such as {SCALE}")
    grid = voxel_grid(window, BINS, span, steps)
    return grid, np.asarray(grid.any(axis=0))


def esda(window: Recording, span: tuple[int, int], scale: float) -> tuple[np.ndarray, np.ndarray]:
    """(integers, active sites) of ``esda_voxel_grid``, which is over the window's own first and last event."""
    real = esda_voxel_grid(window, BINS)
    return np.clip(np.rint(real / scale), -128, 127).astype(np.int8), np.asarray(real.any(axis=0))


GRIDS: dict[str, Callable[[Recording, tuple[int, int], float], tuple[np.ndarray, np.ndarray]]] = {
    "centred": centred,
    "esda": esda,
}
"""Voxel grids by name. SEE's published networks are made for ``esda`` alone."""


def sequences(
    path: Path,
    length: int = LENGTH,
    step: int | None = None,
    policy: Policy = "error",
    grid: str = "centred",
    scale: float = SCALE,
) -> Iterator[Sequence]:
    """Sequences of frames, one every 50 ms, of a 3ET+ recording.

    A frame needs a label and must end at or before the last event. An incomplete last sequence is left out.

    Parameters
        path    the ``.h5`` file, with ``label.txt`` beside it
        length  frames of a sequence
        step    frames from the start of one sequence to that of the next; by default ``length``
        policy  what happens to invalid events
        grid    rule of the voxel grids, one of ``GRIDS``
        scale   real value of the integer 1, as the network has it; for ``centred`` 1 over a whole number
    """
    if grid not in GRIDS:
        raise EventError(f"grid: {grid!r} must be one of {', '.join(GRIDS)}")
    if not scale > 0:
        raise EventError(f"scale: {scale} must be positive")
    events = downscaled(read(path, policy), FACTOR)
    marks = labels(path.with_name("label.txt"))[:: FRAME_US // LABEL_US]
    last = int(events.t[-1]) if len(events) else 0
    count = min(len(marks), last // FRAME_US)
    spans = [(number * FRAME_US, (number + 1) * FRAME_US) for number in range(count)]
    grids = np.zeros((count, BINS, events.height, events.width), np.int8)
    active = np.zeros((count, events.height, events.width), bool)
    for number, span in enumerate(spans):
        grids[number], active[number] = GRIDS[grid](between(events, *span), span, scale)
    for first in range(0, count - length + 1, step or length):
        part = slice(first, first + length)
        yield Sequence(
            grids[part],
            active[part],
            (marks[part, :2] / FACTOR).astype(np.float32),
            marks[part, 2] == 1,
            first * FRAME_US,
        )


def frames_by_count(paths: Iterable[Path], share: float, count: int) -> np.ndarray:
    """Centred voxel grids of a given density, int8 ``[count, 3, 60, 80]``, in quarters.

    Every window has the same number of events, the smallest for which the mean share of active sites is at least
    ``share``. The windows start at evenly spaced events of the recordings and may overlap.

    Parameters
        paths  ``.h5`` files of the recordings
        share  mean share of active sites
        count  number of grids
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
    """``count`` grids of ``events`` events each, which start at evenly spaced events."""
    ends = np.cumsum([len(recording) - events + 1 for recording in recordings])
    grids = []
    for place in (np.arange(count) * ends[-1] // count).tolist():
        number = int(np.searchsorted(ends, place, side="right"))
        first = place - (int(ends[number - 1]) if number else 0)
        window = recordings[number].select(slice(first, first + events))
        grids.append(voxel_grid(window, BINS, None, STEPS))
    return np.array(grids)
