"""``load``: a data set by name, from a folder, from an ``.npz`` file, or from a function of a user's file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from models.data.arrays import from_arrays
from models.data.cifar10 import cifar10
from models.data.dataset import Dataset, DatasetError
from models.data.digits import digits
from models.data.digits_dvs import digits_dvs
from models.data.esda_n_mnist import esda_n_mnist
from models.data.fashion_mnist import fashion_mnist
from models.data.n_mnist import Progress, n_mnist
from models.data.resize import resized
from models.frontend.source import call, is_function
from models.ir.files import read_npz
from models.ir.names import near

DATASETS: dict[str, Callable[[], Dataset]] = {
    "cifar10": cifar10,
    "digits": digits,
    "digits_dvs": digits_dvs,
    "esda_n_mnist": esda_n_mnist,
    "fashion_mnist": fashion_mnist,
    "n_mnist": n_mnist,
}
FOLDERS: dict[str, Callable[[str, Progress | None], Dataset]] = {
    "cifar10": lambda folder, progress: cifar10(folder),
    "esda_n_mnist": esda_n_mnist,
    "fashion_mnist": lambda folder, progress: fashion_mnist(folder),
    "n_mnist": n_mnist,
}
"""Data sets that are read from a folder of the user's."""

SIDE = re.compile(r"(?P<data>.+)@(?P<side>\d{1,9})")
"""A data set, and the rows its images are to have."""


def load(spec: str, progress: Progress | None = None) -> Dataset:
    """The data set that ``spec`` names: a built-in name, ``name:folder``, ``file.npz`` or ``file.py:function``.

    The function returns a ``Dataset`` or a mapping with the arrays that ``from_arrays`` takes. ``@16`` at the end of
    any of them gives images ``resized`` to 16 rows.

    Parameters
        spec      the data set
        progress  is called with (what, files read, files in all) while recordings are read
    """
    if smaller := SIDE.fullmatch(spec):
        return resized(load(smaller["data"], progress), int(smaller["side"]))
    name, _, folder = spec.partition(":")
    if name in FOLDERS:
        return FOLDERS[name](folder, progress)
    if spec in DATASETS:
        return DATASETS[spec]()
    if is_function(spec):
        result = call(spec)
        if isinstance(result, Dataset):
            return result
        if isinstance(result, Mapping):
            return from_arrays(spec, {str(key): _array(spec, key, value) for key, value in result.items()})
        kind = type(result).__name__
        raise DatasetError(f"data set {spec!r}: the function must return a Dataset or a dict, not {kind}")
    if spec.endswith(".npz"):
        return from_arrays(spec, _read_npz(Path(spec).expanduser()))
    names = ", ".join([*DATASETS, *(f"{name}:folder" for name in FOLDERS)])
    hint = near(name, DATASETS)
    raise DatasetError(f"unknown data set {spec!r}; {hint}valid are {names}, a path 'file.npz', or 'file.py:function'")


def _array(spec: str, key: object, value: object) -> np.ndarray:
    try:
        return np.asarray(value)
    except ValueError as error:
        raise DatasetError(f"data set {spec!r}, {key}: is no array: {error}") from error


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise DatasetError(f"data set {str(path)!r}: there is no such file")
    try:
        return read_npz(path)
    except (OSError, ValueError) as error:
        raise DatasetError(f"data set {str(path)!r}: is not a readable .npz file: {error}") from error
