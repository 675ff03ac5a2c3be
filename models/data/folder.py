"""Where data sets lie that are too large to be built in."""

from __future__ import annotations

import os
from pathlib import Path

from models.data.dataset import DatasetError

VARIABLE = "NETWEAVE_DATA"


def folder_of(name: str, given: str | Path | None) -> Path:
    """The folder ``given`` for the data set ``name``, or that of this name in the folder that NETWEAVE_DATA names."""
    if given:
        return Path(given).expanduser().resolve()
    data = os.environ.get(VARIABLE)
    if not data:
        raise DatasetError(
            f"data set {name!r}: the variable {VARIABLE} names no folder; "
            f"set it to the one that holds {name}/, or give the folder as '{name}:/path/to/it'"
        )
    return Path(data).expanduser().resolve() / name
