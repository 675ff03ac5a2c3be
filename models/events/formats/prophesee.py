"""Prophesee ``.raw`` and ``.dat``: a header of text lines that begin with ``%``, then little-endian words.

A ``.raw`` holds what the sensor sent, encoded as EVT 2.0 or EVT 3.0, as the header says; a
``.dat`` holds decoded events.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from models.events.formats import evt2, evt3
from models.events.recording import EventError, Policy, Recording, recording

DAT_HEAD = 2
DAT_EVENTS = {0x00, 0x0C}


def read(path: Path, policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The recording in a ``.raw`` or ``.dat`` file; ``size``, (height, width), replaces that of the header."""
    content = path.read_bytes()
    fields, start = header(content)
    size = size or _size(fields)
    if size is None:
        raise EventError(f"{path}: its header names no sensor size; give size as (height, width)")
    if fields.get("endianness", "little") != "little":
        raise EventError(f"{path}: endianness {fields['endianness']!r} must be 'little'")
    encoding = _encoding(fields)
    if encoding == "EVT2":
        words, truncated = _words(content, start, np.dtype("<u4"))
        (t, x, y, p), unplaced = evt2.decode(words)
    elif encoding == "EVT3":
        words, truncated = _words(content, start, np.dtype("<u2"))
        (t, x, y, p), unplaced = evt3.decode(words)
    elif encoding == "DAT":
        kind, width = content[start : start + DAT_HEAD] if len(content) >= start + DAT_HEAD else (0, 8)
        if kind not in DAT_EVENTS or width != 8:
            raise EventError(f"{path}: events of type {kind}, {width} bytes; valid are type 0 or 12, 8 bytes")
        words, truncated = _words(content, start + DAT_HEAD, np.dtype("<u8"))
        (t, x, y, p), unplaced = _dat(words), 0
    else:
        raise EventError(f"{path}: encoding {encoding!r} must be EVT2, EVT3 or, in a .dat, version 2")
    return recording(path, t, x, y, p, size, policy, truncated=truncated, unplaced=unplaced)


def header(content: bytes) -> tuple[dict[str, str], int]:
    """The values of the header by lower-case key, and the position of the data."""
    fields: dict[str, str] = {}
    start = 0
    while content.startswith(b"% ", start):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        key, _, value = content[start + 2 : end].decode("ascii", "replace").strip().partition(" ")
        start = end + 1
        if key.lower() == "end":
            break
        fields[key.lower()] = value
    return fields, start


def _encoding(fields: dict[str, str]) -> str:
    if "version" in fields and "evt" not in fields and "format" not in fields:
        return "DAT" if fields["version"] == "2" else f"DAT {fields['version']}"
    if "format" in fields:
        return fields["format"].partition(";")[0].strip().upper()
    return {"2.0": "EVT2", "3.0": "EVT3"}.get(fields.get("evt", ""), f"EVT {fields.get('evt', 'unknown')}")


def _size(fields: dict[str, str]) -> tuple[int, int] | None:
    if match := re.fullmatch(r"(\d+)x(\d+)", fields.get("geometry", "")):
        return int(match[2]), int(match[1])
    inner = dict(re.findall(r"(height|width)=(\d+)", fields.get("format", "")))
    both = inner if len(inner) == 2 else fields
    try:
        return int(both["height"]), int(both["width"])
    except (KeyError, ValueError):
        return None


def _words(content: bytes, start: int, word: np.dtype) -> tuple[np.ndarray, int]:
    """The complete words from ``start`` on, and 1 if the file ends inside a word, else 0."""
    available = max(len(content) - start, 0)
    count, rest = divmod(available, word.itemsize)
    return np.frombuffer(content, word, count, min(start, len(content))), int(rest > 0)


def _dat(words: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Low half: time in microseconds. High half: 14 bits of x, 14 of y, 4 of polarity."""
    high = (words >> np.uint64(32)).astype(np.int64)
    t = (words & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return t, high & 0x3FFF, high >> 14 & 0x3FFF, high >> 28
