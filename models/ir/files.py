"""JSON, TOML and npz files that people or other programs may have written: read in full, or refused with the reason."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

MAX_PARTS = 100
"""Parts of a dotted key of TOML: what tomllib takes for one grows with their square."""

_WORD = r"(?:\"[^\"\n]*\"|'[^'\n]*'|(?<![\w-])[\w-]++)"
_LONG_KEY = re.compile(rf"(?:{_WORD}[ \t]*\.[ \t]*){{{MAX_PARTS}}}")


def read_json(path: Path) -> Any:
    """The JSON value in a file.

    Parameters
        path       the file
    Raises         OSError; ValueError: the file holds no JSON
    """
    return parse_json(path.read_bytes())


def parse_json(content: bytes) -> Any:
    """The JSON value in UTF-8 text.

    Parameters
        content    the text
    Raises         ValueError: the text is no JSON
    """
    try:
        return json.loads(content.decode("utf-8"))
    except RecursionError:
        raise ValueError("its lists and objects lie too deep within each other") from None


def read_toml(path: Path) -> dict[str, Any]:
    """The table of a TOML file.

    Parameters
        path       the file
    Raises         OSError; ValueError: the file holds no TOML
    """
    text = path.read_text(encoding="utf-8")
    if (key := _LONG_KEY.search(text)) is not None:
        line = text.count("\n", 0, key.start()) + 1
        raise tomllib.TOMLDecodeError(f"A key of more than {MAX_PARTS} parts (at line {line})")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError("Its lists and tables lie too deep within each other") from None
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:
        # of a number with more digits than Python reads, or a day that there is not
        raise tomllib.TOMLDecodeError(str(error)) from None


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an npz archive, by their names.

    Parameters
        path       the file
    Raises         OSError; ValueError: the file is no complete archive of arrays
    """
    path.open("rb").close()  # says itself what is wrong with the path
    try:
        archive = np.load(path, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise ValueError("it is one array without a name, as numpy.save writes it; numpy.savez names them")
        with archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # a damaged archive raises whatever the damaged part leads to
        raise ValueError(str(error)) from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{name!r} in it is no array")
    return arrays
