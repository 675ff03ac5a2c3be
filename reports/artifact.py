"""JSON files between stages, each with the name of its format and a version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

VERSION = 2


class ArtifactError(ValueError):
    """A stage's file that is missing or cannot be read; the message names file and field."""


def write_json(path: Path, kind: str, content: dict[str, Any]) -> None:
    text = json.dumps({"format": f"netweave {kind}", "version": VERSION, **content}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path, kind: str | None, made_by: str, version: int = VERSION) -> dict[str, Any]:
    """The content of a file of a ``kind``, None for one that names none; `netweave made_by` makes it.

    ``version``: that of files which ``write_json`` does not write.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtifactError(f"{path}: is not there; `netweave {made_by}` makes it") from None
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: cannot be read: {error}; `netweave {made_by}` makes it again") from None
    if not isinstance(content, dict) or (kind is not None and content.get("format") != f"netweave {kind}"):
        raise ArtifactError(f"{path}, field 'format': must be 'netweave {kind}'")
    if content.get("version") != version:
        raise ArtifactError(f"{path}, field 'version': {content.get('version')!r}; this netweave reads {version}")
    return content
