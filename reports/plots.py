"""The report's figures, each a matplotlib figure that says how its numbers were obtained."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from reports import activity
from reports.dataflow import dataflow
from reports.schema import Label, Point, Report, Target
from reports.style import STYLE
from reports.tables import KINDS

GREY, FAINT, BARS = "#c3cad1", "#dfe4e9", "#a9b8c6"
ESTIMATE, MEASURED, CHOSEN = "#8fb8d9", "#1f5f99", "#d1495b"


def front(target: Target) -> Figure:
    """Accuracy, and the share of the scarcest resource, against latency; points off the front in grey."""
    simulated = all(Label.SIMULATED in point.latency for point in target.points)
    label = Label.SIMULATED if simulated else Label.ESTIMATED
    off = [point for point in target.points if not point.front]
    on = sorted((point for point in target.points if point.front), key=lambda point: point.latency[label])
    chosen = [point for point in target.points if point.name == target.design.point]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.8, 5.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))

        def at(points: list[Point]) -> list[float]:
            return [point.latency[label] / target.clock_mhz for point in points]

        def shares(points: list[Point]) -> list[float]:
            return [100 * largest_share(point, target) for point in points]

        def percents(points: list[Point]) -> list[float]:
            return [point.accuracy.percent for point in points]

        for points, colour, width, order in ((off, FAINT, 0.8, 1), (on, BARS, 1, 2)):
            if points:
                low_high = np.array([point.accuracy.interval for point in points]).T
                bars = np.abs(low_high - np.array(percents(points)))
                upper.errorbar(at(points), percents(points), bars, fmt="none", ecolor=colour, lw=width, zorder=order)
        lower.plot(at(on), shares(on), color=FAINT, lw=1, zorder=1)
        for axes, value in ((upper, percents), (lower, shares)):
            axes.scatter(at(off), value(off), s=12, color=GREY, label="dominated", zorder=3)
            dots = axes.scatter(
                at(on),
                value(on),
                c=shares(on),
                cmap="viridis",
                vmin=0,
                vmax=100,
                s=34,
                edgecolor="white",
                lw=0.6,
                zorder=4,
            )
            axes.scatter(
                at(chosen), value(chosen), s=120, facecolor="none", edgecolor=CHOSEN, lw=1.4, label="chosen", zorder=5
            )
            axes.grid(True, which="major")
            axes.set_axisbelow(True)
        bar = figure.colorbar(dots, ax=[upper, lower], pad=0.02)
        bar.set_label("% of the scarcest resource (estimated)")
        bar.outline.set_visible(False)  # type: ignore[operator]
        lower.set_xscale("log")
        lower.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        lower.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        lower.xaxis.set_minor_locator(NullLocator())
        lower.set_xlabel(f"latency of a frame, µs at {target.clock_mhz:g} MHz ({label})")
        lower.set_ylabel("% of the scarcest\nresource (estimated)")
        upper.set_ylabel("test accuracy, %\n(measured, 95 % interval)")
        designs = f"{len(on)} design{'' if len(on) == 1 else 's'}"
        upper.set_title(f"{target.device}: {designs} that no other beats in latency, accuracy and resources")
        lower.legend(frameon=False, loc="upper right")
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
        if target.design.density:
            figures[f"density_{target.device}"] = activity.cycles_by_density(target, target.design.density)
            figures[f"occupancy_{target.device}"] = activity.occupancy(target)
    paths = {}
    for name, figure in figures.items():
        paths[name] = folder / f"{name}.png"
        figure.savefig(paths[name])
    return paths
