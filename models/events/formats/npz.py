"""Events as numpy's ``.npz``: arrays t, x, y and p, and numbers height and width. What netweave itself writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.events.formats.broken import named
from models.events.recording import EventError, Policy, Recording, recording

FIELDS = ("t", "x", "y", "p")


def read(path: Path, policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The events of an ``.npz`` file; ``size`` is (height, width) where the file does not say it."""
    with named(path, ".npz file"):
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if size is None and "height" in arrays and "width" in arrays:
            size = int(arrays["height"]), int(arrays["width"])
    if size is None:
        raise EventError(f"{path}: has no height and width; give size as (height, width)")
    for name in FIELDS:
        found = arrays.get(name)
        if found is None or found.ndim != 1 or found.dtype.kind not in "iub" or len(found) != len(arrays["t"]):
            about = "is missing" if found is None else f"is {found.dtype} {found.shape}"
            raise EventError(f"{path}: {name} {about}; t, x, y and p must be integers [n] of one length")
    t, x, y, p = (arrays[name].astype(np.int64) for name in FIELDS)
    return recording(path, t, x, y, p, size, policy)


def write(events: Recording, path: Path) -> None:
    """Keep a recording; ``read`` gives it back."""
    size = {"height": events.height, "width": events.width}
    np.savez_compressed(path, allow_pickle=False, t=events.t, x=events.x, y=events.y, p=events.p, **size)
