"""Figures of sparse designs: cycles against density, and how active and how full the layers are."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from reports.schema import Density, Target
from reports.style import STYLE

DENSE, LATENCY, INTERVAL = "#a9b8c6", "#1f5f99", "#d1495b"
FIELDS = {"latency": ("latency of a frame", LATENCY), "interval": ("between frames in a row", INTERVAL)}


def cycles_by_density(target: Target, density: Density) -> Figure:
    """Cycles of the sparse design by share of active sites, beside the dense version's, and where the two cross."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.8, 4.4), layout="constrained")
        axes = figure.add_subplot()
        percents = [100 * share for share in density.densities]
        for field, (words, colour) in FIELDS.items():
            values = [getattr(cycles, field) for cycles in density.sparse]
            limit = getattr(density.dense, field)
            axes.plot(percents, values, "o-", ms=4, lw=1.4, color=colour, label=f"sparse, {words}")
            axes.axhline(limit, color=colour, lw=1, ls=(0, (4, 3)), label=f"dense version, {words}")
            crossing = density.crossing[field]
            if crossing is not None:
                axes.plot([100 * crossing], [limit], "s", ms=8, mfc="none", color=colour)
                axes.annotate(f"{100 * crossing:.0f} %", (100 * crossing, limit), (-6, 7), textcoords="offset points",
                              ha="right", color=colour)  # fmt: skip
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(bottom=0)
        axes.set_xlabel("active sites of the input, % (evenly scattered)")
        axes.set_ylabel("cycles (simulated)")
        axes.set_title(f"{target.device}: cycles against density")
        axes.grid(True)
        axes.set_axisbelow(True)
        figure.legend(frameon=False, loc="outside lower center", ncols=2, fontsize=8.5)
        return figure


def occupancy(target: Target) -> Figure:
    """By layer, the mean share of active sites, and how many active sites its windows see."""
    layers = target.design.layers
    windows = [(n, layer.occupancy) for n, layer in enumerate(layers) if len(layer.occupancy) > 2]
    bins = max((len(shares) for _, shares in windows), default=1)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 0.9 + 0.3 * len(layers)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.6))
        left.barh(np.arange(len(layers)), [100 * layer.density for layer in layers], 0.6, color=LATENCY)
        left.set_yticks(np.arange(len(layers)), [layer.name for layer in layers])
        left.invert_yaxis()
        left.set_xlim(0, 100)
        left.set_xlabel("active sites, %")
        left.grid(True, axis="x")
        left.set_axisbelow(True)
        shades = mpl.colormaps["viridis"](np.linspace(0.05, 0.95, bins))
        for row, shares in windows:
            start = 0.0
            for taps, share in enumerate(shares):
                right.barh(row, 100 * share, 0.6, start, color=shades[taps])
                start += 100 * share
        right.set_xlim(0, 100)
        right.set_xlabel("windows, %, by the active sites they see")
        right.tick_params(left=False)
        scale = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, bins - 1), "viridis")  # type: ignore[attr-defined]
        bar = figure.colorbar(scale, ax=right, pad=0.02)
        bar.set_label("active sites a window")
        bar.outline.set_visible(False)  # type: ignore[operator]
        figure.suptitle(f"{target.device}: activity by layer (mean of the training images)", fontsize=11)
        return figure
