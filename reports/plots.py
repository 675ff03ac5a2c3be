"""The report's figures, each a matplotlib figure that says how its numbers were obtained."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from reports.dataflow import dataflow
from reports.schema import Label, Point, Report, Target
from reports.style import STYLE
from reports.tables import KINDS

GREY, ESTIMATE, MEASURED, CHOSEN = "#c3cad1", "#8fb8d9", "#1f5f99", "#d1495b"


def front(target: Target) -> Figure:
    """Accuracy against latency; points off the front in grey, those on it coloured by utilisation."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.9), layout="constrained")
        axes = figure.add_subplot()
        label = Label.SIMULATED if all(Label.SIMULATED in point.latency for point in target.points) else Label.ESTIMATED

        def spots(points: list[Point]) -> tuple[list[float], list[float], np.ndarray]:
            x = [point.latency[label] / target.clock_mhz for point in points]
            y = [point.accuracy.percent for point in points]
            low_high = np.array([point.accuracy.interval for point in points]).T
            return x, y, np.abs(low_high - np.array(y))

        off = [point for point in target.points if not point.front]
        on = sorted((point for point in target.points if point.front), key=lambda point: point.latency[label])
        if off:
            x, y, bars = spots(off)
            axes.errorbar(x, y, bars, fmt="o", ms=3.5, color=GREY, ecolor="#e4e8ec", lw=1, label="dominated", zorder=1)
        x, y, bars = spots(on)
        axes.errorbar(x, y, bars, fmt="none", ecolor="#a9b8c6", elinewidth=1, capsize=2, zorder=2)
        share = [100 * largest_share(point, target) for point in on]
        dots = axes.scatter(x, y, c=share, cmap="viridis", vmin=0, vmax=100, s=34, zorder=3, edgecolor="white", lw=0.6)
        bar = figure.colorbar(dots, ax=axes, pad=0.02)
        bar.set_label("% of the scarcest resource (estimated)")
        bar.outline.set_visible(False)  # type: ignore[operator]
        chosen = next(point for point in target.points if point.name == target.design.point)
        x, y, _ = spots([chosen])
        axes.scatter(x, y, s=120, facecolor="none", edgecolor=CHOSEN, lw=1.4, zorder=4, label="chosen")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(f"latency of a frame, µs at {target.clock_mhz:g} MHz ({label})")
        axes.set_ylabel("test accuracy, % (measured, 95 % interval)")
        axes.set_title(f"{target.device}: {len(on)} designs on the front")
        axes.grid(True, which="major")
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="lower right")
        return figure


def largest_share(point: Point, target: Target) -> float:
    """The share of the device's scarcest resource that a point uses."""
    return max(
        getattr(point.resources, kind) / getattr(target.available, kind)
        for kind in KINDS
        if getattr(target.available, kind)
    )


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
        figures[f"front_{target.device}"] = front(target)
        figures[f"cycles_{target.device}"] = cycles(target)
    paths = {}
    for name, figure in figures.items():
        paths[name] = folder / f"{name}.png"
        figure.savefig(paths[name])
    return paths
