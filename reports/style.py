"""One look for all figures and pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

INK, GREY, FAINT, BARS = "#1f2933", "#c3cad1", "#dfe4e9", "#a9b8c6"
STEPS, CHOSEN = "#1f5f99", "#d1495b"

STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a94a0",
    "axes.labelcolor": "#3c4650",
    "axes.titlesize": 10,
    "axes.titleweight": "normal",
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": "#5c6873",
    "ytick.color": "#5c6873",
    "grid.color": "#e4e8ec",
    "figure.dpi": 160,
}


def templates() -> jinja2.Environment:
    """Those of the pages."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
