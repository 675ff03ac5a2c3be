"""ESDA's trained N-MNIST network beside ours of the same recordings."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table


def networks(figures: dict[str, Any]) -> Table:
    """All in one budget; ESDA's board, which a host's clock timed, in a column of its own."""
    accuracy, design, published = figures["accuracy"], figures["design"], figures["published"]
    board = published["frames a second, on a board, transfers included"]
    taken = f"{board:,} frames a second ({published['dsp']:,}, {published['bram18']:,})"
    rows = [_row("ESDA's network, int8", accuracy["correct"], figures["frames"], design["dsp"], design["bram"], taken)]
    for name, own in figures["n_mnist_net"].items():
        rows.append(_row(f"`n_mnist_net`, {name}", own["correct"], own, own["dsp, estimated"], own["bram, estimated"]))
    return Table(
        f"cycles `simulated`, frames a second at an assumed clock of {design['clock, MHz']} MHz",
        (
            "", f"correct of {accuracy['test recordings']}", "cycles a frame, mean", "frames a second, assumed clock",
            "DSP, 18 Kb memories, `estimated`", "ESDA's board, host's clock, transfers included",
        ),
        rows,
    )  # fmt: skip


def _row(title: str, correct: int, frames: dict[str, Any], dsp: int, bram: int, board: str = "") -> tuple[str, ...]:
    cycles, rate = frames["cycles a frame, mean"], frames["frames a second at an assumed clock"]
    return title, str(correct), f"{cycles:,}", f"{rate:,}", f"{dsp:,}, {bram}", board
