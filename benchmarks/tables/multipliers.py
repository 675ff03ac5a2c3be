"""What a multiply-accumulate takes."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

PAIRS = (
    "uint8 x int8", "uint4 x int4", "uint4 x dybit4", "uint8 x dybit4", "udybit4 x dybit4", "udybit8 x dybit8",
    "ufp4 x fp4", "ufp6 x fp6", "upot4 x pot4",
)  # fmt: skip
TERMS = (1, 4, 16)
CIRCUITS = ("lut", "table")
"""Multipliers in LUTs; of an array the smaller one counts."""
FORMATS = ("uint4", "udybit4", "ufp4", "upot4", "ufp6", "uint8", "udybit8")


def zu3eg(figures: dict[str, Any]) -> Table:
    """LUT/FF of a product, in arrays of four lanes by so many terms."""
    columns = {"in LUTs": CIRCUITS, "in a DSP block": ("dsp",), "two a DSP block": ("packed",)}
    return _arrays(figures["arrays"], columns, "LUT/FF each, `synthesized` by Yosys for a zu3eg", clock=False)


def ecp5(figures: dict[str, Any]) -> Table:
    """The same and the clock."""
    columns = {"in LUTs": CIRCUITS, "in a multiplier": ("dsp",)}
    return _arrays(figures["ecp5"], columns, "LUT/FF each, MHz, `routed` by nextpnr on an ECP5", clock=True)


def _arrays(figures: dict[str, Any], columns: dict[str, tuple[str, ...]], label: str, *, clock: bool) -> Table:
    def cell(pair: str, kinds: tuple[str, ...]) -> str:
        found = []
        for terms in TERMS:
            titles = [f"{pair}, 4 x {terms}, {kind}" for kind in kinds]
            made = [figures[title] for title in titles if title in figures and "failed" not in figures[title]]
            if not made:
                return "does not fit"
            best = min(made, key=lambda one: one["lut"])
            mhz = f", {best['fmax_mhz']:.0f}" if clock else ""
            found.append(f"{best['lut_each']:.0f}/{best['ff_each']:.0f}{mhz}")
        return " · ".join(found)

    measured = [pair for pair in PAIRS if any(title.startswith(f"{pair}, ") for title in figures)]
    rows = [(pair, *(cell(pair, kinds) for kinds in columns.values())) for pair in measured]
    return Table(label, ("features x weights", *columns), rows)


def requantizers(figures: dict[str, Any]) -> Table:
    """A lane of requantizing and encoding."""
    rows = [
        (name, *(f"{figures['requantize'][f'{name}, zu3eg'][f'{kind}_each']:.0f}" for kind in ("lut", "ff")))
        for name in FORMATS
        if f"{name}, zu3eg" in figures["requantize"]
    ]
    return Table("each lane, `synthesized` by Yosys for a zu3eg", ("to", "LUT", "FF"), rows)


def fused(figures: dict[str, Any]) -> Table:
    """A lane of three precisions beside lanes of one."""
    rows = []
    for kind in ("int", "dybit"):
        titles = [f"u{kind} x {kind}, 8, 4 and 2 bits"]
        titles += [f"u{kind}{bits} x {kind}{bits}, {8 // bits} a word" for bits in (8, 4, 2)]
        rows.append((kind, *(str(figures["fused"][f"{title}, zu3eg"]["lut"]) for title in titles)))
    head = ("", "8, 4 and 2 bits in one lane", "8 bits alone", "4 bits, two a word", "2 bits, four a word")
    return Table("LUTs, `synthesized` by Yosys for a zu3eg", head, rows)
