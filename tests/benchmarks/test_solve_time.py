from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import solve_time
from benchmarks.tables.solve_time import networks


def test_of_each_gap_the_table_says_what_was_reached() -> None:
    reached = {"status": "within gap", "gap": 0.0074, "CPU seconds": 3.51}
    best = {"status": "optimal", "gap": 0.0, "CPU seconds": 35.2}
    none = {"status": "infeasible", "why": "", "CPU seconds": 27.0}
    own = {"label": "estimated", "ops": 9, "candidates": 9876, "a": reached, "b": best, "c": none}
    (row,) = networks({"networks": {"A": own}}).rows
    assert row == ("A", "9,876", "0.74 %, 4 s", "best, 35 s", "infeasible, 27 s")


def test_seconds_are_those_of_all_parts_also_of_those_kept_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([10.0, 40.0, 100.0, 107.0])
    monkeypatch.setattr(solve_time, "stored", lambda name: tmp_path / name)
    monkeypatch.setattr(solve_time.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(solve_time, "PARTS", {"a": lambda: [1], "b": lambda: [2]})
    assert [solve_time.kept(name) for name in ("a", "b", "a")] == [[1], [2], [1]]
    assert solve_time.seconds() == 37
