"""The page about the solver says what was measured."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.__main__ import RESULTS
from benchmarks.solve_time.table import table

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "solver.md"


def test_the_page_has_the_measured_table_and_its_commit() -> None:
    result = json.loads((RESULTS / "solve_time.json").read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    assert table(result["figures"]["networks"]) in page
    assert f"commit {result['origin']['commit'][:7]}" in page


def test_of_each_gap_the_table_says_what_was_reached() -> None:
    reached = {"status": "within gap", "gap": 0.0074, "CPU seconds": 3.51}
    best = {"status": "optimal", "gap": 0.0, "CPU seconds": 35.2}
    none = {"status": "infeasible", "why": "", "CPU seconds": 27.0}
    shown = table({"A": {"label": "estimated", "ops": 9, "candidates": 9876, "a": reached, "b": best, "c": none}})
    assert shown.splitlines()[-1] == "| A | 9,876 | 0.74 %, 4 s | best, 35 s | infeasible, 27 s |"
