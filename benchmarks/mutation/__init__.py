"""How many small faults the quick tests notice: in integers, solver, comparison with RTL, codes and requantizers.

Faults are drawn by a seed from each file, as many as its lines call for. Each is tried by the tests that run its line,
one case of every test first, as many as fit in a minute; for lines that coverage does not see, since Numba compiles
them or they run as the module is loaded, by those that run any line of the file, or of the files that import it. What
is done is kept in runs/mutation: a word holds while the file, and the tests that it rests on, are as they were.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from benchmarks.mutation.judge import copied, load, noticed
from benchmarks.mutation.mutants import Mutant, mutants
from benchmarks.origin import imports, sources

ROOT = Path(__file__).resolve().parent.parent.parent
RESTS_ON = {
    "faults": (
        "models/ir", "dse", "cosim/rtl/check.py", "hw/arithmetic/circuits", "hw/arithmetic/codecs",
        "hw/arithmetic/requantizer.py",
    ),
    "tests": (
        "tests/models/ir", "tests/dse", "tests/cosim/rtl/test_check.py", "tests/hw/arithmetic/circuits",
        "tests/hw/arithmetic/codecs", "tests/hw/arithmetic/test_requantizer.py", "tests/formal/test_exhaustive.py",
        "tests/models/quant/test_integer.py", "tests/models/quant/test_network.py",
        "tests/netweave/test_exploration.py", "tests/netweave/test_front_search.py",
    ),
}  # fmt: skip
"""Folders and files that are read without being imported: ``benchmarks.origin`` counts them too."""
TARGETS, PLACES = RESTS_ON["faults"], RESTS_ON["tests"]
"""What gets faults, and where the tests are that shall notice them."""
LINES_A_FAULT, LEAST = 60, 2
"""A fault for so many lines of a file, and so many more."""
SEED = 16
SECONDS, MOST = 60.0, 400
"""How long the tests of a fault take without it, and how many they are, at most."""
PATIENCE = 10.0
"""Times as long as without a fault that tests may take; a fault by which they do not end is noticed."""
KEPT = ROOT / "runs" / "mutation"


def files() -> list[str]:
    """The files that get faults."""
    whole = [ROOT / target for target in TARGETS if target.endswith(".py")]
    paths = [*whole, *(path for target in TARGETS for path in (ROOT / target).rglob("*.py"))]
    return sorted(
        str(path.relative_to(ROOT)) for path in paths if len(path.read_text(encoding="utf-8").splitlines()) > 5
    )


def measure() -> dict[str, Any]:
    KEPT.mkdir(parents=True, exist_ok=True)
    faults = [mutant for path in files() for mutant in mutants(ROOT, path, _count(path), SEED)]
    chosen = Tests(_reach())
    tests = {mutant: chosen.of(mutant) for mutant in faults}
    records = _kept()
    missing = [mutant for mutant in faults if not _holds(records.get(_key(mutant)), tests[mutant])]
    begin, context = time.monotonic(), multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count() or 1, context, _prepare, (str(ROOT),)) as pool:
        work = [(mutant, tests[mutant], PATIENCE * chosen.time(tests[mutant]) + 60) for mutant in missing]
        for number, record in enumerate(pool.map(_examine, work), 1):
            records[record["key"]] = record
            with (KEPT / "faults.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            said = f"{number} of {len(missing)} faults, {time.monotonic() - begin:.0f} s"
            print(f"{said}: {record['fault']}: {record['by'] or 'NOT NOTICED'}", file=sys.stderr, flush=True)
    for folder in KEPT.glob("copy-*"):
        shutil.rmtree(folder)
    return _figures([(mutant, records[_key(mutant)]["by"]) for mutant in faults])


class Tests:
    """Which tests try a fault."""

    def __init__(self, reach: dict[str, Any]) -> None:
        self.tests = [name for name, _ in reach["tests"]]
        self.seconds = dict(reach["tests"])
        self.lines = reach["lines"]
        self.readers: dict[str, set[str]] = defaultdict(set)
        for path in self.lines:
            for other in imports(ROOT / path):
                self.readers[other.replace(".", "/") + ".py"].add(path)

    def of(self, mutant: Mutant) -> list[str]:
        """One case of every test that runs the line, then another, the quickest first."""
        numbers = self.lines[mutant.path].get(str(mutant.line)) or self._whole(mutant.path)
        cases: dict[str, list[str]] = defaultdict(list)
        for name in sorted((self.tests[number] for number in numbers), key=lambda name: self.seconds[name]):
            cases[name.partition("[")[0]].append(name)
        turns = (name for turn in zip_longest(*cases.values()) for name in turn if name is not None)
        taken: list[str] = []
        left = SECONDS
        for name in islice(turns, MOST):
            if self.seconds[name] <= left:
                taken.append(name)
                left -= self.seconds[name]
        return taken

    def _whole(self, path: str) -> set[int]:
        """The tests that run a file; where none is seen to, those that run what imports it."""
        own = {number for numbers in self.lines[path].values() for number in numbers}
        return own or {number for reader in self.readers[path] - {path} for number in self._whole(reader)}

    def time(self, tests: list[str]) -> float:
        return sum(self.seconds[name] for name in tests)


def _count(path: str) -> int:
    return LEAST + len((ROOT / path).read_text(encoding="utf-8").splitlines()) // LINES_A_FAULT


def _reach() -> dict[str, Any]:
    """Which tests run which line, kept for the files and tests as they are."""
    read = sorted({*files(), *_tests()})
    path = KEPT / f"reach-{_hash(read)}.json"
    if not path.is_file():
        part = path.with_suffix(".part")
        command = [sys.executable, "-m", "benchmarks.mutation.reach", str(part), *files(), "--", *PLACES]
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
        part.rename(path)
    return json.loads(path.read_text(encoding="utf-8"))


def _tests() -> set[str]:
    """The files of the tests, and those of ``tests`` that they import."""
    found: set[str] = set()
    for place in PLACES:
        path = ROOT / place
        for each in path.rglob("test_*.py") if path.is_dir() else [path]:
            module = str(each.relative_to(ROOT).with_suffix("")).replace("/", ".")
            found |= {source for source in sources(module) if source.startswith("tests/")}
    return {*found, "tests/conftest.py"}


def _figures(found: list[tuple[Mutant, str | None]]) -> dict[str, Any]:
    drawn = Counter(_target(mutant.path) for mutant, _ in found)
    seen = Counter(_target(mutant.path) for mutant, by in found if by)
    return {
        "label": "measured",
        "faults": len(found),
        "noticed": seen.total(),
        "share noticed": round(seen.total() / len(found), 4),
        "noticed and drawn of each": {target: [seen[target], drawn[target]] for target in TARGETS},
        "not noticed": [f"{mutant.path}:{mutant.line}: {mutant.fault}" for mutant, by in found if not by],
    }


def _target(path: str) -> str:
    return next(target for target in TARGETS if path == target or path.startswith(f"{target}/"))


def _prepare(root: str) -> None:
    """In a worker: load the libraries, and make the copy of the repository that gets its faults."""
    global _tree
    load()
    _tree = copied(Path(root), KEPT / f"copy-{os.getpid()}")


def _examine(case: tuple[Mutant, list[str], float]) -> dict[str, Any]:
    mutant, tests, limit = case
    path = _tree / mutant.path
    whole = path.read_text(encoding="utf-8")
    path.write_text(mutant.text, encoding="utf-8")
    try:
        by = noticed(_tree, tests, limit) if tests else None
    finally:
        path.write_text(whole, encoding="utf-8")
    read = _files([by]) if by in tests else _files(tests)
    fault = f"{mutant.path}:{mutant.line}: {mutant.fault}"
    return {"key": _key(mutant), "fault": fault, "by": by, "files": read, "hash": _hash(read)}


def _holds(record: dict[str, Any] | None, tests: list[str]) -> bool:
    if record is None or not all((ROOT / name).is_file() for name in record["files"]):
        return False
    same = _hash(record["files"]) == record["hash"]
    return same and (record["by"] is not None or record["files"] == _files(tests))


def _kept() -> dict[str, dict[str, Any]]:
    path = KEPT / "faults.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {record["key"]: record for record in map(json.loads, lines)}


def _key(mutant: Mutant) -> str:
    return hashlib.sha256(f"{mutant.path}\n{mutant.text}".encode()).hexdigest()[:16]


def _files(tests: list[str]) -> list[str]:
    return sorted({name.partition("::")[0] for name in tests})


def _hash(paths: list[str]) -> str:
    return hashlib.sha256(b"".join((ROOT / path).read_bytes() for path in paths)).hexdigest()[:16]
