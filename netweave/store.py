"""Finished evaluations on disk, each under the hash of all that it depends on.

A run that was killed finds again what it had finished; so does another run that asks for the same. A result is written
beside its place and renamed: it is there in full, or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.ir.files import read_json
from reports.artifact import ArtifactError


class Store:
    """Results, JSON values, in ``folder``: ``<kind>/<hash of inputs>.json``, with the inputs beside the result."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, kind: str, inputs: Mapping[str, object]) -> Any | None:
        """The result of what was finished with these inputs, JSON values; None where nothing was."""
        path = self._path(kind, inputs)
        try:
            return read_json(path)["result"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ArtifactError(
                f"{path}: is no finished evaluation ({error}); delete it to have it made again"
            ) from error

    def put(self, kind: str, inputs: Mapping[str, object], result: Any) -> None:
        path = self._path(kind, inputs)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(json.dumps({"inputs": inputs, "result": result}, indent=1) + "\n", encoding="utf-8")
        part.replace(path)

    def _path(self, kind: str, inputs: Mapping[str, object]) -> Path:
        return (
            self.folder / kind / f"{hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:24]}.json"
        )
