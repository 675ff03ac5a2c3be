"""Several fronts in one picture, in latency and accuracy, and the shares of the common box that they cover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from dse.pareto import non_dominated
from reports.style import BARS, CHOSEN, GREY, STEPS, STYLE

COLOURS = (STEPS, "#e0a030", "#4c9f70", "#8a6fb0", CHOSEN, "#7a4b2a", BARS, GREY)


def picture(
    title: str, ways: Mapping[str, Sequence[tuple[float, float]]], shares: Mapping[str, tuple[float, float]]
) -> Figure:
    """``ways``: cycles, simulated, and accuracy, a share, of each way's designs. ``shares``: its hypervolumes, in
    latency and accuracy, and with utilisation.
    """
    colours = dict(zip(ways, COLOURS, strict=False))
    last = max(cycles for designs in ways.values() for cycles, _ in designs)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.6, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        for way, designs in reversed(list(ways.items())):
            kept = non_dominated([(cycles, -accuracy) for cycles, accuracy in designs])
            steps = sorted((designs[place][0], 100 * designs[place][1]) for place in kept)
            x, y = [cycles for cycles, _ in steps], [percent for _, percent in steps]
            left.step([*x, last], [*y, y[-1]], where="post", color=colours[way], lw=1.4)
            left.scatter(x, y, s=18, color=colours[way], edgecolor="white", lw=0.5, zorder=3)
        left.set_xscale("log")
        left.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        left.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        left.xaxis.set_minor_locator(NullLocator())
        left.set_xlabel("latency of a frame, cycles (simulated)")
        left.set_ylabel("accuracy on validation images, % (measured)")
        left.set_title(title)
        places = np.arange(len(ways))
        for offset, axis, strength in ((-0.19, 0, 1.0), (0.19, 1, 0.45)):
            values = [shares[way][axis] for way in ways]
            bars = right.barh(places + offset, values, 0.36, color=[colours[way] for way in ways], alpha=strength)
            right.bar_label(bars, [f"{value:.3f}" for value in values], padding=3, fontsize=7.5)
        right.set_yticks(places, list(ways))
        right.invert_yaxis()
        right.set_xlim(0, 1.12 * max(max(pair) for pair in shares.values()))
        right.set_title("hypervolume: latency and accuracy;\npale: with utilisation")
        for axes, axis in ((left, "both"), (right, "x")):
            axes.grid(True, axis=axis)
            axes.set_axisbelow(True)
        return figure
