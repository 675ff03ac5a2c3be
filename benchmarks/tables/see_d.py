"""SEE-D as a whole accelerator."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

SITES = 60 * 80


def latency(figures: dict[str, Any]) -> Table:
    """Of one frame: the published one in RTL, those of 3ET+ simulated."""
    published, eyes, clock = figures["published frame"], figures["3ET+ frames"], figures["design"]["clock, MHz"]
    rows = (
        ("the published frame, `rtl`", published["active sites"], published["cycles a frame"]),
        (
            f"{eyes['frames']} frames of 3ET+, mean, `simulated`",
            eyes["active sites, mean"],
            eyes["cycles a frame, mean"],
        ),
    )
    return Table(
        f"ms at an assumed clock of {clock} MHz",
        ("", "active sites", "cycles a frame", "ms, assumed clock"),
        [
            (title, f"{sites:,} ({100 * sites / SITES:.1f} %)", f"{cycles:,}", f"{cycles / clock / 1000:.3f}")
            for title, sites, cycles in rows
        ],
    )
