"""Where data sets lie that are too large to be built in."""

from __future__ import annotations

import os
from pathlib import Path

from models.data.dataset import DatasetError

VARIABLE = "NETWEAVE_DATA"


def folder_of(name: str, folder: str | Path | None) -> Path:
    """The folder of a data set, as an absolute path.

    Parameters
        name    name of the data set, and of its folder inside the folder that NETWEAVE_DATA names
        folder  the folder that the user named; None or empty where the user named none
    """
    if folder:
        return Path(folder).expanduser().resolve()
    data = os.environ.get(VARIABLE)
    if not data:
        raise DatasetError(
            f"data set {name!r}: the variable {VARIABLE} names no folder; "
            f"set it to the one that holds {name}/, or give the folder as '{name}:/path/to/it'"
        )
    return Path(data).expanduser().resolve() / name
