"""What the classes of the test images are taken for: the picture of the confusion matrix."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure

from reports.schema import Target
from reports.style import INK, STEPS, STYLE

SHADES = LinearSegmentedColormap.from_list("shares", ["#ffffff", STEPS])
LARGEST = 12.0
"""Inches of the picture's side."""
SMALLEST = 3.4
"""Points of the smallest counts: three digits of them fit a cell of 100 classes."""


def confusion(target: Target) -> Figure:
    """Test images by true class (rows) and predicted class (columns); a cell is as dark as its share of the row."""
    counts = np.array(target.design.confusion)
    classes, test = len(counts), target.design.test
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(LARGEST, 3.2 + 0.3 * classes)
    digits = max(2, len(str(counts.max())))
    # 0.6 of its size is how wide a digit is; three quarters of a cell are filled
    size = np.clip(0.75 * 72 * (side - 1.2) / classes / (0.6 * digits), SMALLEST, 9)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.add_subplot()
        # a power below 1 shows the few images that are taken for another class
        axes.imshow(shares, cmap=SHADES, norm=PowerNorm(0.5, 0, 1))
        for row, column in np.argwhere(counts):
            colour = "white" if shares[row, column] > 0.4 else INK
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", size=size, color=colour)
        step = -(-classes // 25)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(np.arange(0, classes, step))
            axis.set_ticks(np.arange(classes + 1) - 0.5, minor=True)
        axes.tick_params(which="minor", length=0)
        axes.grid(True, which="minor", lw=0.4)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.set_xlabel("predicted class")
        axes.set_ylabel("true class")
        axes.set_title(f"{target.device}: test images by class\n{test.correct} of {test.total} right (golden)")
        return figure
