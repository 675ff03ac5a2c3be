"""Estimated resources against Yosys."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

FAMILIES = ("xcup", "ecp5")


def errors(figures: dict[str, Any]) -> Table:
    """Of ops that no factor has seen, and of whole accelerators."""
    held = [figures["held_out"][family] for family in FAMILIES]
    whole = [figures["accelerators"][family].values() for family in FAMILIES]

    def spread(kind: str) -> list[str]:
        errors = [[own[f"{kind}_error_percent"] for own in designs] for designs in whole]
        return [f"{min(own):+.1f} to {max(own):+.1f} %" for own in errors]

    rows = [
        ("ops held back", *(str(own["count"]) for own in held)),
        ("DSP blocks exact", *(f"{own['dsp_exact_percent']:g} %" for own in held)),
        ("block memories exact", *(f"{own['bram_exact_percent']:g} %" for own in held)),
        *(
            (f"{title}: median, 95th percentile of the error", *(_error(own, kind) for own in held))
            for kind, title in (("ff", "registers"), ("lut", "LUTs"))
        ),
        ("accelerators", *(str(len(designs)) for designs in whole)),
        ("their LUTs, estimated above synthesized", *spread("lut")),
        ("their registers", *spread("ff")),
    ]
    return Table("`estimated` against `synthesized` by Yosys", ("", *FAMILIES), rows)


def speed(figures: dict[str, Any]) -> Table:
    """Milliseconds for all resources and cycles of a network."""
    rows = [
        (title, *(f"{figures[f'estimate_{name}_{turn}_ms']:.1f}" for turn in ("first", "again")))
        for name, title in (("demo", "the demo's network"), ("see_d", "SEE-D"))
    ]
    return Table("measured, ms of processor time", ("resources and cycles of", "the first time", "again"), rows)


def _error(figures: dict[str, Any], kind: str) -> str:
    return f"{figures[f'{kind}_median_error_percent']:g} %, {figures[f'{kind}_p95_error_percent']:g} %"
