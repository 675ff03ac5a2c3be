"""ResNet-20 folded with and without DyBit."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

LABEL = "cycles `simulated`; accuracy of exact integers on 4,000 test images that chose nothing, measured"
SPACES = ("integers", "with DyBit")
ORDER = ("int8", "int4xint8", "int4", "int4xdybit4", "dybit4", "int3", "dybit3")


def throughout(figures: dict[str, Any]) -> Table:
    """One format in all layers."""
    rows = []
    for name in ORDER:
        own = figures["one format throughout"][name]
        share = own["share taken, estimated"]
        cells = (
            f"{own['cycles, simulated']:,}",
            f"{100 * own['correct'] / own['of']:.2f}",
            f"{share['lut']:.2f}",
            f"{share['dsp']:.2f}",
        )
        rows.append((name, *cells))
    return Table(
        f"{LABEL}; shares `estimated`",
        ("throughout", "cycles", "accuracy, %", "share of the LUTs", "of the DSP blocks"),
        rows,
    )


def fastest(figures: dict[str, Any]) -> Table:
    """The fastest that lose at most a point."""
    rows = []
    for space in SPACES:
        own = figures[f"fastest within 1 point of int8, {space}"]
        rows.append(
            (space, f"{own['cycles, simulated']:,}", f"{own['times as fast as int8']:.2f}", f"{own['points lost']:.2f}")
        )
    return Table(LABEL, ("fastest within a point of int8", "cycles", "times as fast as int8", "points lost"), rows)


def bought(figures: dict[str, Any]) -> Table:
    """What the best keep at the latency of each design of DyBit's front, and where the two differ."""
    rows = []
    for own in figures["accuracy at a latency"]:
        plain, chance = own["integers"], own["p"]
        cells = ("none", "") if plain is None else (f"{plain:.2f}", "the same" if chance == 1 else f"{chance:.3f}")
        rows.append((f"{own['cycles, simulated']:,}", cells[0], f"{own['with DyBit']:.2f}", cells[1]))
    head = ("within so many cycles", *(f"the best, {space}, %" for space in SPACES), "p that the two are equally good")
    return Table(f"{LABEL}; McNemar's exact test", head, rows)
