"""``n_mnist``: the real recordings of handwritten digits by a moving ATIS sensor, 34 x 34 sites.

The folder is that of the official set, or any part of it: ``Train/<digit>/*.bin`` and
``Test/<digit>/*.bin``. (Orchard et al. 2015, CC BY-SA 4.0.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.data.cache import cached_arrays
from models.data.counts import Counts
from models.data.dataset import Augment, Dataset, DatasetError
from models.data.folder import folder_of
from models.data.held_out import held_out
from models.events.formats import n_mnist as format_
from models.events.recording import EventError

FOLDER = "n_mnist"
SPLITS = ("Train", "Test")
CLASSES = 10
Progress = Callable[[str, int, int], None]


def n_mnist(folder: str | Path | None = None, progress: Progress | None = None, counts: Counts = Counts()) -> Dataset:
    """The data set in ``folder``, or in ``n_mnist`` of the folder that the variable NETWEAVE_DATA names.

    Recordings are read once; their counts are cached in the user's cache folder until a file changes.
    """
    root = folder_of(FOLDER, folder)
    files = {split: _files(root, split) for split in SPLITS}

    def make() -> dict[str, np.ndarray]:
        return {split: _images(paths, counts, split, progress) for split, paths in files.items()}

    parameters = {"version": 1, "files": _fingerprint(root, files), "counts": counts.describe()}
    images = cached_arrays("n_mnist", parameters, make)
    labels = {split: np.array([int(path.parent.name) for path in paths]) for split, paths in files.items()}
    return Dataset(
        "n_mnist",
        *held_out(counts.floats(images["Train"]), labels["Train"]),
        counts.floats(images["Test"]),
        labels["Test"],
        classes=CLASSES,
        input_dtype=counts.dtype,
        input_scale=counts.scale,
        augment=Augment(shift=2.0, rotate=8.0, nearest=True),
        sparse=True,
    )


def _files(root: Path, split: str) -> list[Path]:
    paths = [path for digit in range(CLASSES) for path in sorted((root / split / str(digit)).glob("*.bin"))]
    if not paths:
        raise DatasetError(f"data set 'n_mnist': {root} holds no {split}/<digit>/*.bin; Train/ and Test/ must be there")
    return paths


def _images(paths: list[Path], counts: Counts, split: str, progress: Progress | None) -> np.ndarray:
    images = np.empty((len(paths), 2, *format_.SIZE), np.uint8)
    for number, path in enumerate(paths):
        if progress:
            progress(f"n_mnist {split}", number, len(paths))
        try:
            images[number] = counts.image(format_.read(path))
        except (EventError, OSError) as error:
            raise DatasetError(f"data set 'n_mnist': {error}") from error
    return images


def _fingerprint(root: Path, files: dict[str, list[Path]]) -> str:
    digest = hashlib.sha256()
    for path in (path for paths in files.values() for path in paths):
        facts = path.stat()
        digest.update(f"{path.relative_to(root)} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
