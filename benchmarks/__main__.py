"""``python -m benchmarks [NAME ...]``: run benchmarks, keep their figures as JSON, write the pages that show them."""

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
from benchmarks import docs
from benchmarks.docs import RESULTS
from benchmarks.origin import changed, commit_of, origin

NO_MEASURE = ("__main__", "docs", "inputs", "origin", "tables")
RUNS = Path("runs")
KEPT = {
    "architectures": ("architectures",),
    "boards": ("digits_dvs_ulx3s", "tiny_icebreaker"),
    "digits": ("digits",),
    "esda_designs": ("esda_designs",),
    "fmax": ("fmax",),
    "fronts": ("fronts",),
    "malformed": ("digits_dvs", "malformed"),
    "multipliers": ("multipliers",),
    "mutation": ("mutation",),
    "number_formats": ("number_formats",),
    "other_formats": ("number_formats",),
    "predictors": ("predictors",),
    "proofs": ("proofs",),
    "resnet20": ("resnet20",),
    "solve_time": ("solve_time",),
}
"""Folders under ``runs`` in which benchmarks keep what they have measured: ended early, the next call goes on there."""


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name not in NO_MEASURE)


def write(name: str, figures: dict[str, Any], seconds: float, resumed: bool = False) -> Path:
    """Keep a benchmark's figures, with where they come from.

    seconds    how long it took
    resumed    whether parts were kept from before whose seconds are not among these
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {"benchmark": name, "figures": figures, "origin": origin(name, seconds, resumed)}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def result(name: str) -> dict[str, Any]:
    """A benchmark's result; empty where there is none."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def duration(kept: dict[str, Any]) -> float | None:
    """Seconds that a result took to measure; None where they are not known, or not those of all its parts."""
    made = kept.get("origin", {})
    # results of before this was kept may have been resumed, if their benchmark can be
    return None if not made or made.get("resumed", kept["benchmark"] in KEPT) else made["seconds"]


def state(name: str) -> tuple[bool, str]:
    """Whether a benchmark's result is of the code as it is, and in words why not."""
    kept = result(name)
    if not kept:
        return False, "never measured"
    since, made = changed(kept), kept.get("origin", {})
    took = duration(kept)
    label = ""
    if made:
        label = f"{commit_of(made)}, {made['date']}, {made['seconds']:,.0f} s{'' if took else ' or more'}"
    if since is None:
        return False, "stale: it does not say what code it rests on"
    if since:
        more = f" and {len(since) - 1} more files" if len(since) > 1 else ""
        return False, f"stale ({label}): {since[0]}{more} changed"
    return True, f"holds ({label})"


def run(name: str) -> None:
    """Run a benchmark and keep its figures."""
    resumed = any((RUNS / folder).is_dir() for folder in KEPT.get(name, ()))
    module, begin = importlib.import_module(f"benchmarks.{name}"), time.perf_counter()
    figures = module.measure()
    seconds = time.perf_counter() - begin
    if hasattr(module, "seconds"):
        # of all parts, each kept with its own
        seconds, resumed = module.seconds(), False
    path = write(name, figures, seconds, resumed)
    print(f"{name} ({seconds:.1f} s) -> {path}")
    for figure, value in figures.items():
        print(f"    {figure:<48} {value}")


def run_within(wanted: list[str], minutes: float, named: list[str]) -> None:
    """Run those that fit in the time by what they took last, the longest first, and say what is left.

    named    those that run also where it is not known how long they take, after all others
    """
    took = {name: duration(result(name)) for name in wanted}
    begin, left = time.monotonic(), sorted(wanted, key=lambda name: -(took[name] or 0.0))
    for name in list(left):
        seconds = 0.0 if name in named and took[name] is None else took[name]
        if seconds is not None and time.monotonic() - begin + seconds <= 60 * minutes:
            run(name)
            left.remove(name)
    for name in left:
        seconds = took[name]
        known = "of unknown duration: name it to run it" if seconds is None else f"{seconds / 60:,.0f} minutes"
        print(f"left: {name}, {known}{'; goes on where it was ended' if name in KEPT else ''}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Run benchmarks and keep their figures in reports/results, each with its commit, command, seconds, "
        "versions of tools, and the files that it rests on.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="benchmarks to run; all where none is named")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="say which results hold and which are stale; run nothing")
    what.add_argument("--docs", action="store_true", help="write the figures of the results into README.md and docs")
    what.add_argument(
        "--check", action="store_true", help="say which figures in README.md and docs are not the results'"
    )
    parser.add_argument("--stale", action="store_true", help="run only those whose code has changed since")
    parser.add_argument("--within", type=float, metavar="MINUTES", help="run only as many as fit in the time")
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
    if asked.docs or asked.check:
        found = docs.differences(write=asked.docs)
        print("\n".join(found) or "every figure is its result's")
        return 1 if found and asked.check else 0
    wanted = [name for name in wanted if not (asked.stale and state(name)[0])]
    if asked.within is not None:
        run_within(wanted, asked.within, asked.names)
        return 0
    for name in wanted:
        run(name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
