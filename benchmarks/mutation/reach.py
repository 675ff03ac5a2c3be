"""Which tests run a line: written down once, by running all of them under coverage, test by test.

Run as a program, ``python -m benchmarks.mutation.reach OUT PATH ...``, since lines count that run as a module is
loaded.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import coverage
import pytest

QUICK = "not slow and not whole"
"""Tests of `make test`; what they do not notice is not noticed."""


class Watch:
    """A plugin of pytest that tells coverage which test runs, and writes down how long each took."""

    def __init__(self, watched: coverage.Coverage) -> None:
        self.watched = watched
        self.seconds: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        self.watched.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        assert not report.failed, f"{report.nodeid} fails without a fault"
        self.seconds[report.nodeid] += report.duration


def reach(files: Sequence[str], places: Sequence[str]) -> dict[str, Any]:
    """The tests below ``places`` with their seconds, and the numbers of those that run each line of ``files``."""
    watched = coverage.Coverage(data_file=None, include=list(files), config_file=False)
    watch = Watch(watched)
    watched.start()
    code = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", "-m", QUICK, *places], plugins=[watch])
    watched.stop()
    assert code == 0, f"pytest ended with {code}"
    number = {test: place for place, test in enumerate(watch.seconds)}
    data = watched.get_data()
    measured = {Path(path).resolve(): path for path in data.measured_files()}
    lines: dict[str, dict[int, list[int]]] = {}
    for path in files:
        known = measured.get(Path(path).resolve())
        found = data.contexts_by_lineno(known) if known else {}
        lines[path] = {line: sorted(number[test] for test in tests if test in number) for line, tests in found.items()}
    return {"tests": list(watch.seconds.items()), "lines": lines}


if __name__ == "__main__":
    out, *asked = sys.argv[1:]
    cut = asked.index("--")
    Path(out).write_text(json.dumps(reach(asked[:cut], asked[cut + 1 :])), encoding="utf-8")
