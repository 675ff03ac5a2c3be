"""The report's figures, each a matplotlib figure that says how its numbers were obtained."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from reports import activity, front
from reports.confusion import confusion
from reports.dataflow import dataflow
from reports.designs import Designs
from reports.schema import Label, Report, Target
from reports.style import STYLE

ESTIMATE, MEASURED = "#8fb8d9", "#1f5f99"


def cycles(target: Target) -> Figure:
    """Cycles a frame by layer, estimated beside RTL."""
    with mpl.rc_context(STYLE):
        layers = target.design.layers
        figure = Figure(figsize=(6.4, 0.9 + 0.3 * len(layers)), layout="constrained")
        axes = figure.add_subplot()
        y = np.arange(len(layers))
        estimated = [layer.cycles.get(Label.ESTIMATED, 0) for layer in layers]
        axes.barh(y - 0.19, estimated, 0.36, color=ESTIMATE, label="estimated")
        measured = {i: layer.cycles[Label.RTL] for i, layer in enumerate(layers) if Label.RTL in layer.cycles}
        if measured:
            axes.barh([i + 0.19 for i in measured], list(measured.values()), 0.36, color=MEASURED, label="rtl")
        axes.set_yticks(y, [layer.name for layer in layers])
        axes.invert_yaxis()
        axes.set_xlabel("cycles a frame")
        axes.set_title(f"{target.device}: cycles by layer")
        axes.grid(True, axis="x")
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
        return figure


def write(report: Report, folder: Path) -> dict[str, Path]:
    """Every figure as a PNG in ``folder``, by the name the page shows it under."""
    figures = {"dataflow": dataflow(report.graph)}
    for target in report.targets:
        figures[f"front_{target.device}"] = front.picture(Designs.of(target))
        figures[f"confusion_{target.device}"] = confusion(target)
        figures[f"cycles_{target.device}"] = cycles(target)
        if target.design.density:
            figures[f"density_{target.device}"] = activity.cycles_by_density(target, target.design.density)
            figures[f"occupancy_{target.device}"] = activity.occupancy(target)
    paths = {}
    for name, figure in figures.items():
        paths[name] = folder / f"{name}.png"
        figure.savefig(paths[name])
    return paths
