"""How fast components and the demo's designs are."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

DEVICES = {"ecp5-25k": "ECP5-25F, grade 6", "ice40up5k": "iCE40 UP5K"}


def clocks(figures: dict[str, Any]) -> Table:
    """MHz; a demo's title names its device in other words."""
    rows: dict[str, dict[str, str]] = {}
    for title, own in figures.items():
        (device,) = (name for name in DEVICES if title.endswith(name))
        rows.setdefault(title.removesuffix(f", {device}"), {})[device] = f"{own['fmax_mhz']:.0f}"
    cells = [(title, *(own.get(device, "") for device in DEVICES)) for title, own in rows.items()]
    return Table("MHz, `routed` by nextpnr; where nothing stands nothing was routed", ("", *DEVICES.values()), cells)
