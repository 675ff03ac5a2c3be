"""A stage's folder: written beside its place, then renamed; made again only when its inputs changed.

``stamp.json`` in the folder records the hash of the inputs and of every file made from them. A
folder is therefore either complete or absent, however a stage ended.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from reports.artifact import ArtifactError

STAMP = "stamp.json"

_LEFT = re.compile(r"\.(?P<name>.+)\.(?P<kind>part|old)-\d+")
"""What ``make`` calls a folder that it is writing, and one that it is replacing."""


def digest(path: Path) -> str:
    """The hash of a file, or of every file below a folder with its name; stamps left out."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return _hash(_files(path))


def current(folder: Path, inputs: Mapping[str, object]) -> bool:
    """Whether ``folder`` was made from ``inputs`` and every file in it is as it was written."""
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return stamp["inputs"] == _hash(inputs) and stamp["files"] == _files(folder)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def outdated(folder: Path, inputs: Mapping[str, object]) -> bool:
    """Whether the stamp of ``folder`` says that it was made from other inputs."""
    try:
        return json.loads((folder / STAMP).read_text(encoding="utf-8"))["inputs"] != _hash(inputs)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def altered(folder: Path) -> tuple[Path, str] | None:
    """The first file of ``folder`` that is not as it was written, and what was done to it; None where all are."""
    stamp = folder / STAMP
    try:
        written = dict(json.loads(stamp.read_text(encoding="utf-8"))["files"])
    except FileNotFoundError:
        return stamp, "was removed"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return stamp, "was changed"
    files = _files(folder)
    for name in sorted({*written, *files}):
        if name not in files:
            return folder / name, "was removed"
        if name not in written:
            return folder / name, "was added"
        if files[name] != written[name]:
            return folder / name, "was changed"
    return None


def make(folder: Path, inputs: Mapping[str, object], write: Callable[[Path], None]) -> bool:
    """Have ``write`` fill ``folder`` unless it is current; whether it had to.

    ``inputs``: everything that the content depends on, as JSON values. When ``write`` raises, or is
    interrupted, what stood in ``folder`` before still stands there.
    """
    if current(folder, inputs):
        return False
    if folder.exists() and not folder.is_dir():
        raise ArtifactError(f"{folder}: is a file where a stage wants its folder; move it away")
    part, old = (folder.with_name(f".{folder.name}.{kind}-{os.getpid()}") for kind in ("part", "old"))
    part.mkdir(parents=True)
    try:
        write(part)
        stamp = {"inputs": _hash(inputs), "files": _files(part)}
        (part / STAMP).write_text(json.dumps(stamp, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for rest in (part, old):
            shutil.rmtree(rest, ignore_errors=True)
    return True


def sweep(run: Path) -> None:
    """Clear away what ``make`` was writing below ``run`` when it was killed; to be called where nobody else is at work.

    A folder that was being replaced is put back.
    """
    for path in [*run.glob(".*"), *run.glob("*/.*")]:
        match = _LEFT.fullmatch(path.name)
        if match is None:
            continue
        folder = path.with_name(match["name"])
        if match["kind"] == "old" and not folder.exists():
            path.rename(folder)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _files(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != STAMP)
    return {path.relative_to(folder).as_posix(): digest(path) for path in paths}


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
