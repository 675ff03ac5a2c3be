"""What rounding to DyBit loses beside integers of as many bits, 2 to 8, and the pictures of docs/dybit.md.

Signal over rounding error of four distributions, each format with the scale of least squared error: normal and Laplace
as weights are, half-normal and exponential as what leaves a ReLU. The last lines are DyBit's as it would be had a
number to become a whole one of its steps first, ties away from zero. Minifloats and powers of two of 4
bits stand beside them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure

from benchmarks.number_formats.fit import SIGNED, distribution, sqnr
from benchmarks.number_formats.grids import Grid, grid
from models.ir.formats.dybit import DyBitType
from models.ir.formats.registry import parse_dtype
from reports.style import BARS, CHOSEN, STEPS, STYLE

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
BITS = range(2, 9)
BIT = 20 * np.log10(2)
FORMATS = {"int": STEPS, "dybit": CHOSEN}
OF_FOUR_BITS = ("int", "dybit", "fp", "pot")
"""Kinds of formats of which those of 4 bits are compared."""
OCTAVES = np.linspace(-4, 8, 121)
"""Of the scales tried where rounding is double: about that which brings the largest value to the format's."""


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for shape, signed in SIGNED.items():
        rows = distribution(shape)
        for name in FORMATS:
            figures[f"{shape}, {name}, dB at 2 to 8 bits"] = [
                round(sqnr(rows, grid(name, signed, bits)), 2) for bits in BITS
            ]
        twice = [round(rounded_twice(rows, DyBitType(bits, signed)), 2) for bits in BITS]
        figures[f"{shape}, dybit rounded twice, dB at 2 to 8 bits"] = twice
        figures[f"{shape}, 4 bits, dB"] = {
            name: round(sqnr(rows, Grid.of(parse_dtype(f"{'' if signed else 'u'}{name}4"))), 2) for name in OF_FOUR_BITS
        }
    values().savefig(IMAGES / "dybit_values.png")
    errors(figures).savefig(IMAGES / "dybit_error.png")
    return figures


def rounded_twice(rows: torch.Tensor, dtype: DyBitType) -> float:
    """Decibels of signal over error, the scale fitted to that error."""
    x = rows.numpy().ravel()
    table = dtype.magnitudes
    least = np.inf
    for octave in OCTAVES:
        scale = np.abs(x).max() / dtype.max * 2.0**octave
        whole = np.floor(x / scale + 0.5).astype(np.int64)
        code = np.searchsorted(table[:-1] + table[1:], 2 * np.abs(whole), side="right")
        least = min(least, float(np.square(np.sign(whole) * table[code] * scale - x).mean()))
    return float(10 * np.log10(np.square(x).mean() / least))


def values() -> Figure:
    """Every value of the one-sided formats, over their median, on a logarithmic axis: integers below, DyBit above."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.4), layout="constrained")
        axes = figure.subplots()
        for bits in BITS:
            for name, lift in (("int", -0.17), ("dybit", 0.17)):
                positive = np.array([value for value in grid(name, False, bits).values if value > 0])
                axes.vlines(
                    positive / positive[len(positive) // 2], bits + lift - 0.14, bits + lift + 0.14,
                    color=FORMATS[name], lw=1.1 if bits < 6 else 0.6, label=name if bits == BITS[0] else "_",
                )  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.set_yticks(list(BITS))
        axes.set_xlabel("value over the median one")
        axes.set_ylabel("bits")
        axes.set_title("What the one-sided formats can say")
        axes.legend(frameon=False, loc="lower right")
        return figure


def errors(figures: dict[str, Any]) -> Figure:
    """Over the 6.02 dB that a bit is worth where steps are even, which would be a level line."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8.2, 2.9), layout="constrained")
        for axes, shape in zip(figure.subplots(1, len(SIGNED), sharey=True), SIGNED, strict=True):
            lines = [(name, "o-", color, 1.5) for name, color in FORMATS.items()]
            for name, marks, color, width in [*lines, ("dybit rounded twice", "--", BARS, 1.0)]:
                gained = np.array(figures[f"{shape}, {name}, dB at 2 to 8 bits"]) - BIT * np.array(BITS)
                axes.plot(list(BITS), gained, marks, ms=3, lw=width, color=color, label=name)
            axes.set_title(shape)
            axes.set_xlabel("bits")
            axes.grid(True)
            if shape == next(iter(SIGNED)):
                axes.set_ylabel("signal over rounding error,\ndB less 6.02 a bit")
                axes.legend(frameon=False, fontsize=7.5)
        return figure
