"""``read``: a recording from a file of any known format, recognized by its first bytes and its name."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from models.events.formats import aedat2, aedat3, aedat4, csv, eye_tracking, n_mnist, npz, prophesee
from models.events.recording import EventError, Policy, Recording

Reader = Callable[[Path, Policy, tuple[int, int] | None], Recording]

BY_CONTENT: dict[bytes, Reader] = {
    b"#!AER-DAT2.0": aedat2.read,
    b"#!AER-DAT3.1": aedat3.read,
    b"#!AER-DAT4.0": aedat4.read,
    b"\x89HDF\r\n\x1a\n": eye_tracking.read,
    b"PK\x03\x04": npz.read,
    b"% ": prophesee.read,
}
BY_SUFFIX: dict[str, Reader] = {".bin": n_mnist.read, ".csv": csv.read, ".txt": csv.read}


def read(path: str | PathLike[str], policy: Policy = "error", size: tuple[int, int] | None = None) -> Recording:
    """The recording in a file.

    Parameters
        path    the file
        policy  what happens to invalid events; ``recording`` lists them
        size    (height, width) of the sensor where the file does not hold it, or to replace what the file holds
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            first = file.read(max(map(len, BY_CONTENT)))
        # an N-MNIST file and a text file may begin with any bytes
        reader = next((reader for magic, reader in BY_CONTENT.items() if first.startswith(magic)), None)
        reader = BY_SUFFIX.get(path.suffix.lower()) if reader is None or path.suffix == ".bin" else reader
        if reader is None:
            raise EventError(
                f"{path}: of no known format; known are {', '.join(BY_SUFFIX)} and, by content, AEDAT 2.0, "
                "3.1 and 4.0, HDF5, .npz and Prophesee .raw and .dat"
            )
        return reader(path, policy, size)
    except OSError as error:
        raise EventError(f"{path}: cannot be read: {error.strerror or error}") from error
