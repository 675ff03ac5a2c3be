"""The picture of an architecture search: every network evaluated, and the front."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from reports.style import BARS, GREY, STEPS, STYLE


def picture(search: Mapping[str, Any]) -> Figure:
    """Accuracy against cycles of the networks in ``search.json``, those that no other beats with their names."""
    feasible = [row for row in search["networks"] if row["cycles"] is not None]
    front = sorted((row for row in feasible if row["front"]), key=lambda row: row["cycles"])
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.add_subplot()
        for rows, colour, label in (
            ([row for row in feasible if not row["front"]], GREY, "beaten"),
            (front, STEPS, "the front"),
        ):
            axes.scatter(
                [row["cycles"] for row in rows],
                [_percent(row) for row in rows],
                s=26,
                color=colour,
                label=label,
                zorder=3,
            )
        axes.step([row["cycles"] for row in front], [_percent(row) for row in front], where="post", color=BARS, lw=1)
        for row in front:
            _, at, side = row["data"].rpartition("@")
            name = f"{row['model'].partition(':')[2]}{at}{side if at else ''} {row['format']}"
            axes.annotate(
                name, (row["cycles"], _percent(row)), (4, -5), textcoords="offset points", fontsize=5.5, rotation=-25,
                rotation_mode="anchor", va="top",
            )  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel("cycles a frame (estimated)")
        axes.set_ylabel("validation accuracy, % (measured)")
        axes.set_title(f"{search['device']}: {len(search['networks'])} of {search['space']} networks evaluated")
        axes.grid(True)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="lower right")
        return figure


def _percent(row: Mapping[str, Any]) -> float:
    return 100 * row["correct"] / row["total"]
