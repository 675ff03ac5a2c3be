"""The zoo's network on N-MNIST."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

FORMATS = ("float", "int8", "dybit8", "int4", "dybit4")


def accuracies(figures: dict[str, Any]) -> Table:
    rows = []
    for name in FORMATS:
        own = figures[name]
        low, high = (100 * end for end in own["95 % interval"])
        right = f"{own['correct']} of {own['of']} ({100 * own['accuracy']:.1f} %)"
        rows.append((name, right, f"{low:.1f} to {high:.1f} %", f"{own['seconds']:.0f}"))
    return Table(
        f"measured, {figures['threads']} thread",
        ("", "correct test recordings", "95 % interval", "seconds of training"),
        rows,
    )
