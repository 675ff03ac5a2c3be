"""AEDAT 2.0, jAER's format: text lines, then 32-bit address and 32-bit time of each event, big-endian.

What an address means depends on the chip that a header line names. DAVIS: bit 31 is set for a
sample of a picture and bit 10 for other signals, which are skipped; y is in bits 30..22, x in
21..12, polarity in bit 11. DVS128: bit 15 is set for other signals; y is in bits 14..8, x in 7..1,
polarity in bit 0. Both count y from the bottom, a recording counts it from the top.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from models.events.formats.clock import unwrapped
from models.events.formats.sensors import SENSORS, sensor
from models.events.recording import EventError, Policy, Recording, recording

VERSION = b"#!AER-DAT2.0"
END = b"#End Of ASCII Header"
RECORD = 8


def read(path: Path, policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The polarity events of an AEDAT 2.0 file; ``size``, (height, width), replaces the size of the chip."""
    content = path.read_bytes()
    if not content.startswith(VERSION):
        raise EventError(f"{path}: must begin with {VERSION!r}")
    lines, start = _header(content)
    chip = sensor([line for line in lines if "AEChip" in line])
    if chip is None:
        raise EventError(f"{path}: its header names no AEChip of {', '.join(SENSORS)}")
    height, width = size or SENSORS[chip]
    count, rest = divmod(len(content) - start, RECORD)
    records = np.frombuffer(content, ">u4", 2 * count, start).reshape(-1, 2).astype(np.uint32)
    t = unwrapped(records[:, 1], 1 << 32)
    address = records[:, 0]
    if chip == "DVS128":
        polarity = address >> 15 & 1 == 0
        y, x, p = address >> 8 & 0x7F, address >> 1 & 0x7F, address & 1
    else:
        polarity = (address >> 31 == 0) & (address >> 10 & 1 == 0)
        y, x, p = address >> 22 & 0x1FF, address >> 12 & 0x3FF, address >> 11 & 1
    y = height - 1 - y.astype(np.int64)
    t, x, y, p = (array[polarity] for array in (t, x, y, p))
    return recording(path, t, x, y, p, (height, width), policy, truncated=int(rest > 0))


def _header(content: bytes) -> tuple[list[str], int]:
    """The text lines, and where the events begin: after a line that says so, or after the last line of text."""
    lines: list[str] = []
    start = 0
    while match := re.compile(rb"#[\t\x20-\x7e]*\r?\n").match(content, start):
        lines.append(match[0].decode("ascii").strip())
        start = match.end()
        if match[0].startswith(END):
            break
    return lines, start
