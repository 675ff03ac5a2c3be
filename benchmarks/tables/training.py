"""A training step on sparse images beside dense convolutions."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

SHARES = (1, 5, 10, 20)


def steps(figures: dict[str, Any]) -> Table:
    """Milliseconds; how many times as fast as dense, which was timed beside each."""
    rows = []
    for share in SHARES:
        row = [f"{share} %"]
        for threads in ("2 threads", "1 thread"):
            found = [figures[f"{kind}, {share}% active, {threads}"] for kind in ("scattered", "clustered")]
            dense = sorted(f"{own['dense, ms a step']:.0f}" for own in found)
            row.append(" and ".join(dict.fromkeys(dense)))
            row += [f"{own['sparse, ms a step']:.0f} ({own['times faster']:.1f} times as fast)" for own in found]
        rows.append(row)
    head = (
        "active at the input",
        "dense, 2 threads",
        "scattered",
        "clustered",
        "dense, 1 thread",
        "scattered",
        "clustered",
    )
    return Table(f"ms a step, measured, batch {figures['batch']}", head, rows)
