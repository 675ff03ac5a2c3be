"""3ET+ event-based eye tracking: ``<name>.h5`` with the events and ``label.txt`` beside it, 640 x 480.

The file's data set ``events`` has the fields t, x, y and p. A line of ``label.txt`` is ``(x, y, closed)``:
where the pupil is, in pixels of the sensor, and 1 while the eye is closed; a line every 10 ms,
the first at time 0. (AIS 2024 event-based eye tracking challenge, arXiv 2404.11770.)
"""

from __future__ import annotations

import re
from pathlib import Path

import deflate
import h5py
import numpy as np

from models.events.recording import EventError, Policy, Recording, recording

SIZE = (480, 640)
LABEL_US = 10_000
FIELDS = ("t", "x", "y", "p")


def read(path: Path, policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The events of a 3ET+ file; ``size`` is (height, width) where it is not 480 x 640."""
    try:
        with h5py.File(path, "r") as file:
            events = file.get("events")
            if not isinstance(events, h5py.Dataset) or events.dtype.names is None or events.ndim != 1:
                raise EventError(f"{path}: holds {', '.join(file) or 'nothing'}; 'events' must be there, a table")
            if missing := [name for name in FIELDS if name not in events.dtype.names]:
                raise EventError(f"{path}: events have no field {missing[0]!r}; {', '.join(FIELDS)} must be there")
            table = _table(events)
    except (OSError, RuntimeError) as error:
        raise EventError(f"{path}: is not a readable HDF5 file: {error}") from error
    t, x, y, p = (np.ascontiguousarray(table[name]) for name in FIELDS)
    return recording(path, t, x, y, p, size or SIZE, policy)


def labels(path: Path) -> np.ndarray:
    """int64 ``[n, 3]``: x, y and closed, every 10 ms from time 0."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.fullmatch(r"\s*\((-?\d+), (-?\d+), ([01])\)\s*", line)
        if match is None:
            raise EventError(f"{path}: line {number}: {line!r} must be (x, y, closed), closed 0 or 1")
        rows.append([int(part) for part in match.groups()])
    return np.array(rows, np.int64).reshape(-1, 3)


def _table(events: h5py.Dataset) -> np.ndarray:
    """All events. HDF5 alone takes four times as long to decompress what compression this format has."""
    plist = events.id.get_create_plist()
    deflated = plist.get_nfilters() == 1 and plist.get_filter(0)[0] == h5py.h5z.FILTER_DEFLATE
    if not deflated or events.chunks is None:
        return events[:]
    (rows,) = events.chunks
    width = events.dtype.itemsize
    found: list[h5py.h5d.StoreInfo] = []
    events.id.chunk_iter(found.append)
    found.sort(key=lambda chunk: chunk.chunk_offset)
    if any(chunk.filter_mask for chunk in found) or len(found) != -(-len(events) // rows):
        return events[:]
    packed = [events.id.read_direct_chunk(chunk.chunk_offset)[1] for chunk in found]
    whole = b"".join(deflate.zlib_decompress(part, rows * width) for part in packed)
    return np.frombuffer(whole, events.dtype, len(events))
