"""Examples that end in a bitstream."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table


def clocks(figures: dict[str, Any]) -> Table:
    rows = [(title, f"{own['clock, MHz']:g}", f"{own['routed fmax, MHz']:g}") for title, own in figures.items()]
    return Table("`routed` by nextpnr", ("example on its board", "clock, MHz", "routed for, MHz"), rows)


def resources(figures: dict[str, Any]) -> Table:
    """Of each accelerator: estimated, and counted by Yosys."""
    kinds = {"lut": "LUT", "ff": "FF", "bram": "memories", "dsp": "DSP"}
    rows = [
        (title, *(f"{own['estimated'][kind]:,} / {own['synthesized'][kind]:,}" for kind in kinds))
        for title, own in figures.items()
    ]
    return Table("`estimated` / `synthesized`", ("example on its board", *kinds.values()), rows)
