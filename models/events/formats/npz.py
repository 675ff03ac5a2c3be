"""Events as numpy's ``.npz``: arrays t, x, y and p, and the numbers height and width."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.events.formats.broken import reading_errors
from models.events.recording import EventError, Policy, Recording, recording

FIELDS = ("t", "x", "y", "p")


def read(path: Path, policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The events of an ``.npz`` file; ``size``, (height, width), replaces what the file holds."""
    with reading_errors(path, ".npz file"):
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if size is None and "height" in arrays and "width" in arrays:
            size = int(arrays["height"]), int(arrays["width"])
    if size is None:
        raise EventError(f"{path}: has no height and width; give size as (height, width)")
    for name in FIELDS:
        array = arrays.get(name)
        if array is None or array.ndim != 1 or array.dtype.kind not in "iub" or len(array) != len(arrays["t"]):
            about = "is missing" if array is None else f"is {array.dtype} {array.shape}"
            raise EventError(f"{path}: {name} {about}; t, x, y and p must be integers [n] of one length")
    t, x, y, p = (arrays[name].astype(np.int64) for name in FIELDS)
    return recording(path, t, x, y, p, size, policy)


def write(events: Recording, path: Path) -> None:
    """Writes a recording to a file that ``read`` reads."""
    size = {"height": events.height, "width": events.width}
    np.savez_compressed(path, allow_pickle=False, t=events.t, x=events.x, y=events.y, p=events.p, **size)
