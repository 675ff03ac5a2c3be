"""``python -m benchmarks [NAME ...]``: run benchmarks and keep their figures as JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import time
from pathlib import Path
from typing import Any

import benchmarks
from benchmarks.origin import changed, origin

RESULTS = Path(__file__).resolve().parent.parent / "reports" / "results"
NO_MEASURE = ("__main__", "inputs", "origin")


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name not in NO_MEASURE)


def write(name: str, figures: dict[str, Any], seconds: float) -> Path:
    """Keep a benchmark's figures, with where they come from."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {"benchmark": name, "figures": figures, "origin": origin(name, seconds)}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def state(name: str) -> tuple[bool, str]:
    """Whether a benchmark's result is of the code as it is, and in words why not."""
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        return False, "never measured"
    result = json.loads(path.read_text(encoding="utf-8"))
    since, made = changed(result), result.get("origin", {})
    label = f"{made['commit'][:7]}, {made['date']}, {made['seconds']:,.0f} s" if made else ""
    if since is None:
        return False, f"stale: {'measured with uncommitted changes' if made else 'without a commit'}"
    if since:
        more = f" and {len(since) - 1} more files" if len(since) > 1 else ""
        return False, f"stale ({label}): {since[0]}{more} changed"
    return True, f"holds ({label})"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Run benchmarks and keep their figures in reports/results, each with its commit, command, seconds, "
        "versions of tools, and the files that it rests on.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run; all where none is named")
    parser.add_argument("--list", action="store_true", help="say which results hold and which are stale; run nothing")
    parser.add_argument("--stale", action="store_true", help="run only those whose code has changed since")
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in names()]
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    wanted = asked.names or names()
    if asked.list:
        for name in wanted:
            print(f"{name:<18} {state(name)[1]}")
        return 0
    for name in wanted:
        if asked.stale and state(name)[0]:
            continue
        begin = time.perf_counter()
        figures = importlib.import_module(f"benchmarks.{name}").measure()
        seconds = time.perf_counter() - begin
        path = write(name, figures, seconds)
        print(f"{name} ({seconds:.1f} s) -> {path}")
        for figure, value in figures.items():
            print(f"    {figure:<48} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
