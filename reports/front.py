"""The front as a picture, and as a page to hover over; ``write_front`` makes both of what an exploration left."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from reports import hover
from reports.designs import Designs, read
from reports.schema import Point
from reports.style import BARS, CHOSEN, GREY, STEPS, STYLE


def write_front(folder: Path, chosen: str | None = None) -> None:
    """Write ``front.png`` and ``front.html`` beside ``front.json`` and ``designs.json``.

    Parameters
        folder    folder that an exploration left
        chosen    name of the point that is picked and marked; None: no point is
    """
    designs = read(folder, chosen)
    picture(designs).savefig(folder / "front.png")
    (folder / "front.html").write_text(hover.page(designs), encoding="utf-8")


def picture(designs: Designs) -> Figure:
    """Accuracy, and the share of the scarcest resource, against latency; points off the front in grey.

    The steps are the front in latency and accuracy alone; what lies below them on the front is there for its resources.
    """
    off = [point for point in designs.points if not point.front]
    on, steps = designs.front, designs.staircase
    chosen = [point for point in designs.points if point.name == designs.chosen]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.8, 6.0), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))

        def at(points: list[Point]) -> list[float]:
            return [designs.microseconds(point) for point in points]

        def shares(points: list[Point]) -> list[float]:
            return [100 * point.utilisation for point in points]

        def percents(points: list[Point]) -> list[float]:
            return [point.accuracy.percent for point in points]

        low_high = np.array([point.accuracy.interval for point in on]).T
        upper.errorbar(
            at(on), percents(on), np.abs(low_high - np.array(percents(on))), fmt="none", ecolor=BARS, lw=0.8, zorder=1
        )
        # on to the slowest point: nothing slower is more accurate than the last step
        ends = [*at(steps), max(at([*designs.points]))]
        upper.step(
            ends, [*percents(steps), percents(steps)[-1]], where="post", color=STEPS, lw=1.4, zorder=2,
            label="front in latency and accuracy alone",
        )  # fmt: skip
        for axes, value in ((upper, percents), (lower, shares)):
            axes.scatter(at(off), value(off), s=12, color=GREY, label="dominated", zorder=3)
            dots = axes.scatter(
                at(on), value(on), c=shares(on), cmap="viridis", vmin=0, vmax=100, s=34, edgecolor="white", lw=0.6,
                label="front with resources", zorder=4,
            )  # fmt: skip
            axes.scatter(
                at(chosen), value(chosen), s=120, facecolor="none", edgecolor=CHOSEN, lw=1.4, label="chosen", zorder=5
            )
            axes.grid(True, which="major")
            axes.set_axisbelow(True)
        lower.scatter(at(steps), shares(steps), s=62, facecolor="none", edgecolor=STEPS, lw=1, zorder=4)
        upper.scatter(at(steps), percents(steps), s=62, facecolor="none", edgecolor=STEPS, lw=1, zorder=4)
        bar = figure.colorbar(dots, ax=[upper, lower], pad=0.02)
        bar.set_label("% of the scarcest resource (estimated)")
        bar.outline.set_visible(False)  # type: ignore[operator]
        lower.set_xscale("log")
        lower.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        lower.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        lower.xaxis.set_minor_locator(NullLocator())
        lower.set_ylim(bottom=0)
        lower.set_xlabel(f"latency of a frame, µs at {designs.clock_mhz:g} MHz, {designs.clock} ({designs.label})")
        lower.set_ylabel("% of the scarcest\nresource (estimated)")
        upper.set_ylabel("validation accuracy, %\n(measured, 95 % interval)")
        upper.set_title(title(designs))
        handles = dict(zip(*reversed(upper.get_legend_handles_labels()), strict=True))
        if not chosen:
            del handles["chosen"]
        figure.legend(handles.values(), handles.keys(), frameon=False, loc="outside lower center", ncols=4, fontsize=8)
        return figure


def title(designs: Designs) -> str:
    """How many designs are on the front, and how many of them by latency and accuracy alone."""
    count, alone = len(designs.front), len(designs.staircase)
    count_text = f"{count} design{'' if count == 1 else 's'}"
    return f"{designs.device}: {count_text} on the front, {alone} of them by latency and accuracy alone"
