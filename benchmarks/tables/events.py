"""The simulated camera beside a real one, and how fast recordings are read."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table


def camera(figures: dict[str, Any]) -> Table:
    made, real, ratio = figures["digits_dvs"], figures["N-MNIST"], figures["digits_dvs / N-MNIST"]
    rows = [("recordings", f"{made['recordings']:,}", f"{real['recordings']:,}", "")]
    for name, times in ratio.items():
        rows.append((name, _shown(name, made[name]), _shown(name, real[name]), f"{times:.2f}"))
    return Table("measured", ("", "digits_dvs", "N-MNIST", "ratio"), rows)


def reading(figures: dict[str, Any]) -> Table:
    rows = []
    for name in ("N-MNIST", "3ET+"):
        own = figures[f"reading {name}"]
        speed = own["million events a second"], own["million events a second of one processor"]
        rows.append((name, f"{own['files']:,}", f"{own['events']:,}", *(f"{one:.1f}" for one in speed)))
    return Table("measured", ("", "files", "events", "millions a second", "by processor time"), rows)


def _shown(name: str, value: float) -> str:
    if "share" in name:
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if value > 100 else f"{value:.1f}"
