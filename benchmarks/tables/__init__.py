"""The tables that README.md and docs show, made of results: a module a benchmark, a function a table.

They stand apart from the benchmarks, so that another column makes no figure stale. A page has the table of function
``against`` in ``benchmarks/tables/fronts.py`` between ``<!-- benchmarks: fronts.against -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """A table of figures.

    label    how they were obtained: `estimated`, `simulated`, `rtl`, `synthesized`, `routed`, measured
    head     the columns' titles; all but the first column are set to the right
    rows     the cells, as they are shown
    """

    label: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(f"the row of {row[0]!r} has {len(row)} cells; there are {len(self.head)} columns")
        lines = [self.head, ["---", *["---:"] * (len(self.head) - 1)], *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def points_cell(found: dict[str, Any] | None) -> str:
    """Points and their interval, bold where 0 is not in it."""
    if found is None:
        return "not run"
    mean = f"{found['mean']:+.2f}"
    differs = found["from"] > 0 or found["to"] < 0
    return f"{f'**{mean}**' if differs else mean} ({found['from']:+.2f} to {found['to']:+.2f})"


def accuracy_cell(found: dict[str, Any] | None) -> str:
    """Percent, and half the distance of the best and the worst seed where there are several."""
    if found is None:
        return "not run"
    return f"{found['mean']:.2f}" + (f" ±{(found['to'] - found['from']) / 2:.2f}" if found["seeds"] > 1 else "")
