"""Latency of one frame beside ESDA's accelerators."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table
from hw.fpga.families.registry import DEVICES

LUTS = DEVICES["zcu102"].lut
TITLES = {
    "SEE-D": "SEE-D", "SEE-A": "SEE-A", "NMNIST": "N-MNIST", "DVS_1890": "DvsGesture", "ASL_0p5": "ASL-DVS",
    "NCal_w0p5": "N-Caltech101",
}  # fmt: skip


def latency(figures: dict[str, Any]) -> Table:
    """Cycles beside ESDA's model, resources beside the published ones; a real frame in a row of its own."""
    rows = []
    for name, title in TITLES.items():
        published, frames, design = figures[name]["published"], figures[name]["frames"], figures[name]["design"]
        theirs = (
            published["slowest layer by ESDA's model, cycles"],
            published["the same, expansions at their input's resolution"],
        )
        board = [f"{own:,} {key.partition(',')[0]}" for key, own in published.items() if key.endswith("on a board")]
        rows.append(
            (
                title,
                *("" if cycles is None else f"{cycles:,}" for cycles in theirs),
                f"{design['bottleneck, cycles']:,}",
                f"{frames['cycles a frame, mean']:,}",
                f"{frames['active sites, mean']:,}",
                f"{design['dsp']:,}, {design['bram']:,}, {100 * design['lut'] / LUTS:.0f} %",
                f"{published['dsp']:,}, {published['bram18']:,}",
                *board,
            )
        )
        if "real frame" in figures[name]:
            real = figures[name]["real frame"]
            rows.append(
                ("its real frame", "", "", "", f"{real['cycles a frame']:,}", f"{real['active sites']:,}", "", "", "")
            )
    head = (
        "",
        "slowest layer, ESDA's model",
        "expansions at their input's resolution",
        "slowest op, ours, `estimated`",
        "latency, ours, mean, `simulated`",
        "active sites",
        "DSP, 18 Kb memories, LUTs, ours, `estimated`",
        "published",
        "ESDA's board",
    )
    return Table("`simulated` and `estimated`, each column as it says; the board's by its authors", head, rows)
