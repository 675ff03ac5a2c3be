"""What rounding to formats of 4 bits loses."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

TITLES = {"int": "int4", "dybit": "dybit4", "fp": "fp4 (e2m1, one-sided e2m2)", "pot": "pot4"}


def of_four_bits(figures: dict[str, Any]) -> Table:
    """Signal over rounding error, by distribution and format."""
    suffix = ", 4 bits, dB"
    rows = [
        (key.removesuffix(suffix), *(f"{own[name]:.2f}" for name in TITLES))
        for key, own in figures.items()
        if key.endswith(suffix)
    ]
    return Table("dB of signal over rounding error, calculated", ("distribution", *TITLES.values()), rows)
