"""Events as text: one event per line, its values separated by commas or blanks.

The values are ``t`` (microseconds), ``x``, ``y`` and ``p`` (0 or 1). A first line of names may give another order.
Lines that begin with ``#`` are skipped.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.events.recording import EventError, Policy, Recording, recording

FIELDS = ("t", "x", "y", "p")


def read(path: Path, policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The events of a text file of a sensor of ``size``, (height, width), which the file does not say."""
    if size is None:
        raise EventError(f"{path}: text does not say the sensor's size; give size as (height, width)")
    text = path.read_bytes().decode("utf-8", "replace").replace(",", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    order = list(FIELDS)
    if lines and not _is_number(lines[0].split()[0]):
        order = lines.pop(0).lower().split()
        if sorted(order) != sorted(FIELDS):
            raise EventError(f"{path}: columns {', '.join(order)} must be {', '.join(FIELDS)}, in any order")
    truncated = int(bool(lines) and len(lines[-1].split()) < len(FIELDS))
    try:
        table = np.loadtxt(lines[: len(lines) - truncated], np.int64, ndmin=2).reshape(-1, len(FIELDS))
    except ValueError as error:
        raise EventError(f"{path}: events must be lines of {len(FIELDS)} integers: {error}") from error
    t, x, y, p = (table[:, order.index(name)] for name in FIELDS)
    return recording(path, t, x, y, p, size, policy, truncated)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
