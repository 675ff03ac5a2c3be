"""Bad frames, and what the interface takes."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table


def cost(figures: dict[str, Any]) -> Table:
    """What the interface adds to the demo's accelerator."""
    rows = [
        (device, *(f"{own[kind]:,}" for kind in ("lut", "ff", "bram", "accelerator_lut", "accelerator_ff")))
        for device, own in figures["interface"].items()
    ]
    head = ("around the demo's network", "LUT", "FF", "memories", "LUT of the accelerator", "FF")
    return Table("`synthesized` by Yosys", head, rows)


def traffic(figures: dict[str, Any]) -> Table:
    counts = ("beats", "beats_of_bad_frames", "bad_frames", "good_frames", "answers_right", "hangs")
    head = ("beats", "of bad frames", "bad frames", "good frames", "answers as golden's", "hangs")
    return Table("`rtl`, by Verilator", head, [[f"{figures[count]:,}" for count in counts]])
