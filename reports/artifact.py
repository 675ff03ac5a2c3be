"""JSON files between stages, each with the name of its format and a version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydantic

from models.ir import files

VERSION = 3


class ArtifactError(ValueError):
    """A stage's file that is missing or cannot be read; the message names file and field."""


def write_json(path: Path, kind: str, content: dict[str, Any]) -> None:
    text = json.dumps({"format": f"netweave {kind}", "version": VERSION, **content}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def counts(path: Path, content: dict[str, Any], field: str) -> tuple[int, int]:
    """How many images of how many, from a field of what ``read_json`` gave; raises ArtifactError."""
    match content.get(field):
        case [right, total] if type(right) is int and type(total) is int and 0 <= right <= total and total:
            return right, total
        case value:
            valid = "must be images that are right, of 1 or more in all"
            raise ArtifactError(f"{path}, field {field!r}: {value!r} {valid}")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """What is made of the content of ``path`` within it; ArtifactError where a field is missing or wrong."""
    try:
        yield
    except ArtifactError:
        raise
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        where, value = (f"{path}, field {field!r}", f"{first['input']!r}: ") if field else (str(path), "")
        raise ArtifactError(f"{where}: {value}{first['msg']}") from None
    except KeyError as error:
        raise ArtifactError(f"{path}, field {error.args[0]!r}: is missing") from None
    except (AttributeError, IndexError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ArtifactError(f"{path}: a field is of the wrong kind or size: {error}") from None


def read_json(path: Path, kind: str | None, command: str, version: int = VERSION) -> dict[str, Any]:
    """The content of a file of a ``kind``, None for one that names none; `netweave command` makes it.

    ``version``: that of files which ``write_json`` does not write.
    """
    try:
        content = files.read_json(path)
    except FileNotFoundError:
        raise ArtifactError(f"{path}: is not there; `netweave {command}` makes it") from None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: cannot be read: {error}; `netweave {command}` makes it again") from None
    if not isinstance(content, dict) or (kind is not None and content.get("format") != f"netweave {kind}"):
        raise ArtifactError(f"{path}, field 'format': must be 'netweave {kind}'")
    if content.get("version") != version:
        raise ArtifactError(f"{path}, field 'version': {content.get('version')!r}; this netweave reads {version}")
    return content
