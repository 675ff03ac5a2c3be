"""AEDAT 3.1, as DvsGesture's: text lines, then packets of events, little-endian.

A packet's head is 28 bytes: kind and source (16 bits), then bytes an event, offset of the time in
an event, upper 31 bits of the times, capacity, events, valid events (32 bits). A polarity event
(kind 1) is 8 bytes: a word with valid in bit 0, polarity in bit 1, y in bits 2..16 and x in bits
17..31, and the lower 31 bits of the time. Packets of other kinds and events marked invalid are skipped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.events.formats.sensors import SENSORS, sensor
from models.events.recording import EventError, Policy, Recording, recording

VERSION = b"#!AER-DAT3.1\r\n"
END = b"#!END-HEADER\r\n"
HEAD = np.dtype(
    [("kind", "<i2"), ("source", "<i2"), *((name, "<i4") for name in ("size", "at", "high", "most", "n", "ok"))]
)
POLARITY = 1
EVENT = 8


def read(path: Path, policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The polarity events of an AEDAT 3.1 file; ``size``, (height, width), replaces the size of the source."""
    content = path.read_bytes()
    end = content.find(END)
    if not content.startswith(VERSION) or end < 0:
        raise EventError(f"{path}: its header must begin with {VERSION!r} and end with {END!r}")
    lines = content[:end].decode("ascii", "replace").splitlines()
    form = next((line.partition(":")[2].strip() for line in lines if line.startswith("#Format:")), "RAW")
    if form != "RAW":
        raise EventError(f"{path}: format {form!r} must be 'RAW'")
    if size is None:
        name = sensor([line for line in lines if line.startswith("#Source")])
        if name is None:
            sensors = ", ".join(SENSORS)
            raise EventError(f"{path}: no source in its header is one of {sensors}; give size as (height, width)")
        size = SENSORS[name]
    words, high, truncated = _events(path, content, end + len(END))
    words, high = (array[words[:, 0] & 1 == 1] for array in (words, high))
    data = words[:, 0]
    t = high << 31 | words[:, 1].astype(np.int64)
    return recording(path, t, data >> 17, data >> 2 & 0x7FFF, data >> 1 & 1, size, policy, truncated)


def _events(path: Path, content: bytes, start: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Polarity events as uint32 ``[n, 2]``, the upper bits of their times, and the number of events cut off."""
    parts, highs, missing = [np.zeros((0, 2), np.uint32)], [np.zeros(0, np.int64)], 0
    while start < len(content) and not missing:
        if start + HEAD.itemsize > len(content):
            missing = 1
            break
        head = np.frombuffer(content, HEAD, 1, start)[0]
        kind, size, count = int(head["kind"]), int(head["size"]), int(head["n"])
        if size < 1 or count < 0 or (kind == POLARITY and size != EVENT):
            why = f"{count} events of {size} bytes; polarity events have {EVENT}"
            raise EventError(f"{path}: packet at byte {start}: {why}")
        start += HEAD.itemsize
        there = min(count, (len(content) - start) // size)
        if kind == POLARITY:
            parts.append(np.frombuffer(content, "<u4", 2 * there, start).reshape(-1, 2))
            highs.append(np.full(there, int(head["high"]), np.int64))
            missing = count - there
        start += count * size
    return np.concatenate(parts), np.concatenate(highs), missing
