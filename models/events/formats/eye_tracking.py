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

from models.events.formats.broken import reading_errors
from models.events.recording import EventError, Policy, Recording, recording

SIZE = (480, 640)
LABEL_US = 10_000
FIELDS = ("t", "x", "y", "p")
DTYPES = (np.int64, np.int16, np.int16, np.uint8)
GROUP = 8
"""Chunks that are decompressed at a time; few enough to stay in the processor's cache until they are used."""


def read(path: Path, policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The events of a 3ET+ file; ``size`` is the sensor's (height, width), by default 480 x 640."""
    with reading_errors(path, "HDF5 file"), h5py.File(path, "r") as file:
        events = file.get("events")
        if not isinstance(events, h5py.Dataset) or events.dtype.names is None or events.ndim != 1:
            raise EventError(f"{path}: holds {', '.join(file) or 'nothing'}; 'events' must be there, a table")
        for name in FIELDS:
            if name not in events.dtype.names or events.dtype[name].kind not in "iu":
                fields = ", ".join(f"{field} {events.dtype[field]}" for field in events.dtype.names)
                raise EventError(f"{path}: events have {fields}; {name} must be there, an integer")
        t, x, y, p = _columns(events)
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


def _columns(events: h5py.Dataset) -> list[np.ndarray]:
    """t, x, y and p, in narrow arrays where all values fit."""
    chunks, rows, count = _deflated(events), _rows(events), len(events)
    columns = [np.empty(count, kind) for kind in DTYPES]
    for first in range(0, len(chunks), GROUP):
        at = first * rows
        table = _inflated(events, chunks[first : first + GROUP])[: count - at]
        for column, name in zip(columns, FIELDS, strict=True):
            if not _fits(table[name], column.dtype):
                return _as_stored(events)
            column[at : at + len(table)] = table[name]
    return columns if chunks else _as_stored(events)


def _fits(values: np.ndarray, kind: np.dtype) -> bool:
    valid = np.iinfo(kind)
    return bool(values.max() <= valid.max and (values.dtype.kind == "u" or values.min() >= valid.min))


def _as_stored(events: h5py.Dataset) -> list[np.ndarray]:
    table = events[:]
    return [np.ascontiguousarray(table[name]) for name in FIELDS]


def _rows(events: h5py.Dataset) -> int:
    """Events a chunk."""
    return events.chunks[0] if events.chunks else len(events)


def _deflated(events: h5py.Dataset) -> list[int]:
    """The first row of each chunk, if all chunks are stored with deflate and no other filter; else an empty list."""
    plist = events.id.get_create_plist()
    if plist.get_nfilters() != 1 or plist.get_filter(0)[0] != h5py.h5z.FILTER_DEFLATE:
        return []
    chunks: list[h5py.h5d.StoreInfo] = []
    events.id.chunk_iter(chunks.append)
    whole = len(chunks) == -(-len(events) // _rows(events)) and not any(chunk.filter_mask for chunk in chunks)
    return sorted(chunk.chunk_offset[0] for chunk in chunks) if whole else []


def _inflated(events: h5py.Dataset, starts: list[int]) -> np.ndarray:
    """The rows of some chunks. HDF5 alone takes twice as long."""
    size = _rows(events) * events.dtype.itemsize
    packed = (events.id.read_direct_chunk((start,))[1] for start in starts)
    return np.frombuffer(b"".join(deflate.zlib_decompress(part, size) for part in packed), events.dtype)
