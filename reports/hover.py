"""The front as a page of its own: hovering over a design shows all that is known of it. Needs no network."""

from __future__ import annotations

import textwrap
from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from reports.designs import Designs
from reports.model_error import model_error
from reports.schema import Label, Point
from reports.style import BARS, CHOSEN, FAINT, GREY, INK, STEPS, templates
from reports.undecided import undecided

WIDTH = 64
"""Characters of a line that lists layers."""
CONFIG = {"displaylogo": False, "responsive": True, "modeBarButtons": [["toImage", "zoom2d", "pan2d", "resetScale2d"]]}
KINDS = {"lut": "LUT", "ff": "FF", "bram": "BRAM", "dsp": "DSP"}


def page(designs: Designs) -> str:
    """The whole page, its script included."""
    # a name instead of a random one: the same front gives the same file
    figure = chart(designs).to_html(full_html=False, include_plotlyjs=True, div_id="front", config=CONFIG)
    chosen = next((point for point in designs.points if point.name == designs.chosen), None)
    error = model_error(designs.points)
    return (
        templates()
        .get_template("front.html.j2")
        .render(
            designs=designs,
            figure=figure,
            chosen=chosen,
            error=error,
            Label=Label,
            undecided=undecided(designs.staircase),
        )
    )


def chart(designs: Designs) -> go.Figure:
    """Accuracy above, the share of the scarcest resource below, both against latency."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.05)
    on, steps = designs.front, designs.staircase
    off = [point for point in designs.points if not point.front]
    chosen = [point for point in designs.points if point.name == designs.chosen]
    last = max(designs.points, key=designs.microseconds)
    figure.add_scatter(
        x=[*_at(designs, steps), designs.microseconds(last)],
        y=[*(point.accuracy.percent for point in steps), steps[-1].accuracy.percent],
        mode="lines", line={"shape": "hv", "color": STEPS, "width": 2}, name="front in latency and accuracy alone",
        hoverinfo="skip", row=1, col=1,
    )  # fmt: skip
    for row in (1, 2):
        layers = (
            ("dominated", off, {"size": 7, "color": GREY}),
            ("front with resources", on, {"size": 11, "line": {"color": "white", "width": 1}, **_scale(on, row == 1)}),
            ("on the steps", steps, {"size": 15, "symbol": "circle-open", "color": STEPS, "line": {"width": 1.6}}),
            ("picked", chosen, {"size": 21, "symbol": "circle-open", "color": CHOSEN, "line": {"width": 2.4}}),
        )
        for name, points, marker in layers:
            rings = name in ("on the steps", "picked")
            figure.add_scatter(
                x=_at(designs, points),
                y=[point.accuracy.percent if row == 1 else 100 * point.utilisation for point in points],
                error_y=_interval(points) if row == 1 and name == "front with resources" else None,
                mode="markers", marker=marker, name=name, legendgroup=name, showlegend=row == 1 and bool(points),
                text=None if rings else [about(designs, point) for point in points],
                hovertemplate=None if rings else "%{text}<extra></extra>", hoverinfo="skip" if rings else None,
                row=row, col=1,
            )  # fmt: skip
    ticks = [mantissa * 10**decade for decade in range(-2, 7) for mantissa in (1, 1.5, 2, 3, 5, 7)]
    figure.update_xaxes(type="log", gridcolor=FAINT, zeroline=False, tickvals=ticks, ticktext=[f"{t:g}" for t in ticks])
    figure.update_yaxes(gridcolor=FAINT, zeroline=False)
    words = f"latency of a frame, µs at {designs.clock_mhz:g} MHz, {designs.clock} ({designs.label})"
    figure.update_xaxes(title_text=words, row=2, col=1)
    figure.update_yaxes(title_text="validation accuracy, % (measured, 95 % interval)", row=1, col=1)
    figure.update_yaxes(title_text="% of the scarcest<br>resource (estimated)", rangemode="tozero", row=2, col=1)
    figure.update_layout(
        template="none", hovermode="closest", height=760, margin={"l": 70, "r": 20, "t": 50, "b": 60},
        legend={"orientation": "h", "y": 1.06, "x": 0},
        hoverlabel={"align": "left", "bgcolor": "white", "bordercolor": GREY, "font": {"size": 12.5, "color": INK}},
    )  # fmt: skip
    return figure


def about(designs: Designs, point: Point) -> str:
    """Everything that is known of a design, in lines of HTML."""
    low, high = point.accuracy.interval
    reached = f"{point.accuracy.percent:.2f} % ({low:.2f} to {high:.2f}), {point.accuracy.correct} of "
    cycles = [
        f"{value:,.0f} cycles, {value / designs.clock_mhz:,.2f} µs ({label})" for label, value in point.latency.items()
    ]
    error = model_error(designs.points)
    below = error.bound(point) if error else None
    pace = point.bottleneck[Label.ESTIMATED]
    used = ", ".join(f"{words} {getattr(point.resources, kind):,}" for kind, words in KINDS.items())
    solver = point.solver
    proof = ["bound none" if solver.bound is None else f"bound {solver.bound:,.6g}"]
    proof += [] if solver.gap is None else [f"gap {100 * solver.gap:.2f} %"]
    lines = [
        f"<b>{escape(point.name)}</b>" + (" – picked" if point.name == designs.chosen else ""),
        f"accuracy {reached}{point.accuracy.total} validation images",
        f"latency {'; '.join(reversed(cycles))}",
        f"{pace:,.0f} cycles a frame, {1e6 * designs.clock_mhz / pace:,.0f} frames a second (estimated)",
        f"{used} (estimated): {100 * point.utilisation:.1f} % of the scarcest",
        f"solver, {escape(solver.minimised)}: {escape(solver.status)}, {', '.join(proof)}",
        *([] if point.program is None else [f"the integer program counts a latency of {point.program:,.0f} cycles"]),
        f"best of {point.tried + 1} foldings simulated, {100 * point.gained:.1f} % better than the program's",
        *([] if below is None else [f"empirical bound on the simulated latency: {below:,.0f} cycles"]),
        *_formats(point),
    ]
    return "<br>".join(lines)


def _formats(point: Point) -> list[str]:
    """Each format with its layers, that of most layers first."""
    layers: dict[str, list[str]] = {}
    for layer, name in point.formats.items():
        layers.setdefault(name, []).append(layer)
    if len(layers) == 1:
        return [f"<b>{escape(name)}</b> in every layer" for name in layers]
    lines: list[str] = []
    for name, own in sorted(layers.items(), key=lambda entry: -len(entry[1])):
        first, *rest = textwrap.wrap(", ".join(own), WIDTH, break_long_words=False)
        lines += [f"<b>{escape(name)}</b>: {escape(first)}", *(f"   {escape(line)}" for line in rest)]
    return lines


def _at(designs: Designs, points: list[Point]) -> list[float]:
    return [designs.microseconds(point) for point in points]


def _interval(points: list[Point]) -> dict[str, object]:
    ends = [(point.accuracy.percent, *point.accuracy.interval) for point in points]
    return {
        "array": [high - value for value, _, high in ends],
        "arrayminus": [value - low for value, low, _ in ends],
        "color": BARS,
        "thickness": 1,
        "width": 0,
    }


def _scale(points: list[Point], visible: bool) -> dict[str, object]:
    """Colours by utilisation, as in the still picture; the scale is ``visible`` once."""
    return {
        "color": [100 * point.utilisation for point in points],
        "colorscale": "Viridis",
        "cmin": 0,
        "cmax": 100,
        "showscale": visible,
        "colorbar": {"title": {"text": "% of the scarcest resource (estimated)", "side": "right"}, "outlinewidth": 0},
    }
