"""A cache on disk of arrays that take long to make."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np


def cache_dir() -> Path:
    """``netweave/data`` in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "netweave" / "data"


def cached_arrays(
    name: str, parameters: Mapping[str, object], make: Callable[[], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """The arrays that ``make`` returns, from a file where they were made before with the same parameters.

    Where the file is missing or cannot be read, it is made anew. Where the folder cannot be written, the arrays are
    made every time.

    Parameters
        name        first part of the file's name
        parameters  everything that the arrays depend on, as JSON can hold it
        make        makes the arrays
    """
    key = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:16]
    path = cache_dir() / f"{name}-{key}.npz"
    try:
        with np.load(path) as archive:
            return {field: archive[field] for field in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        arrays = dict(make())
    with contextlib.suppress(OSError):
        _write(path, arrays)
    return arrays


def _write(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write beside and rename, so that another process reads all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(suffix=".npz", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
