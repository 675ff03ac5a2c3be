"""How far estimated cycles are from simulated ones."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

KINDS = ("program, latency", "forecast, latency", "program, interval", "forecast, interval")


def errors(figures: dict[str, Any]) -> Table:
    """The median and the 95th percentile of the error's size, by network."""
    rows = []
    for name, own in figures.items():
        if name != "label":
            cells = [f"{100 * own[kind]['median']:.1f}, {100 * own[kind]['95 %']:.1f}" for kind in KINDS]
            rows.append((name, str(own["number of designs"]), *cells))
    return Table(
        "percent of the `simulated` figure, median and 95th percentile, `estimated`", ("", "designs", *KINDS), rows
    )
