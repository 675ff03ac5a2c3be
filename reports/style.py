"""One look for all figures."""

from __future__ import annotations

from typing import Any

STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a94a0",
    "axes.labelcolor": "#3c4650",
    "axes.titlesize": 10,
    "axes.titleweight": "normal",
    "axes.titlecolor": "#1f2933",
    "axes.titlelocation": "left",
    "text.color": "#1f2933",
    "xtick.color": "#5c6873",
    "ytick.color": "#5c6873",
    "grid.color": "#e4e8ec",
    "figure.dpi": 160,
}
