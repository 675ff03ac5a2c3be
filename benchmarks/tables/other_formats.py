"""What ResNet-20 keeps of accuracy in formats beside integers and DyBit."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table, accuracy_cell, points_cell
from benchmarks.tables.number_formats import GAINS_LABEL, LABEL, MODES

TITLES = {
    "int": "int",
    "dybit": "DyBit",
    "fp": "minifloat",
    "pot": "powers of two",
}


def accuracies(figures: dict[str, Any]) -> Table:
    """By bits and format: mean of the seeds, and half the distance of the best and the worst."""
    rows = []
    for first in _rows(figures["accuracy"]):
        bits, name = first.split(" ")
        rows.append((bits, TITLES[name], *(accuracy_cell(figures["accuracy"][f"{first}, {mode}"]) for mode in MODES)))
    return Table(LABEL, ("ResNet-20, CIFAR-10", "format", *MODES), rows)


def gains(figures: dict[str, Any]) -> Table:
    """Points over integers and over DyBit of as many bits."""
    rows = []
    for first in _rows(figures["points over int"]):
        bits, name = first.split(" ")
        for other in ("int", "dybit"):
            own = figures[f"points over {other}"]
            if f"{first}, {MODES[0]}" in own:
                cells = (points_cell(own[f"{first}, {mode}"]) for mode in MODES)
                rows.append((bits, f"{name} over {other}", *cells))
    return Table(GAINS_LABEL, ("ResNet-20, CIFAR-10", "", *MODES), rows)


def _rows(found: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(key.partition(",")[0] for key in found))
