"""How many small faults the quick tests notice."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table


def noticed(figures: dict[str, Any]) -> Table:
    """Of each folder or file, the faults that were drawn and those that a test noticed."""
    cells = [
        (f"`{target}`", f"{drawn:,}", f"{seen:,}", f"{100 * seen / drawn:.0f} %")
        for target, (seen, drawn) in figures["noticed and drawn of each"].items()
    ]
    faults, seen = figures["faults"], figures["noticed"]
    cells.append(("all", f"{faults:,}", f"{seen:,}", f"{100 * figures['share noticed']:.1f} %"))
    return Table(figures["label"], ("", "faults", "noticed", "share"), cells)
