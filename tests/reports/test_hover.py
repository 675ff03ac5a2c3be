"""The page of the front: a design's lines by hand, and every design in both halves of the chart."""

from __future__ import annotations

import re

from reports import hover
from reports.designs import Designs
from tests.reports.example import designs, point


def test_hovering_shows_the_whole_design() -> None:
    lines = hover.about(designs("p4"), point(4)).split("<br>")
    low, high = point(4).accuracy.interval
    assert lines == [
        "<b>p4</b> – picked",
        f"accuracy 95.93 % ({low:.2f} to {high:.2f}), 518 of 540 validation images",
        "latency 3,050 cycles, 15.25 µs (simulated); 3,000 cycles, 15.00 µs (estimated)",
        "2,000 cycles a frame, 100,000 frames a second (estimated)",
        "LUT 25,000, FF 8,000, BRAM 3, DSP 44 (estimated): 35.4 % of the scarcest",
        "solver, latency: optimal, bound 4,000, gap 0.00 %",
        "the integer program counts a latency of 2,900 cycles",
        "best of 31 foldings simulated, 2.0 % better than the program's",
        "empirical bound on the simulated latency: 4,000 cycles",
        "<b>int8</b> in every layer",
    ]


def test_formats_name_every_layer_once() -> None:
    formats = {f"layer{n}": "int4" if n % 3 else "dybit8" for n in range(40)}
    text = hover.about(designs(), point(0).model_copy(update={"formats": formats}))
    named = dict(part.split("</b>: ") for part in text.split("<b>") if "</b>: " in part)
    assert list(named) == ["int4", "dybit8"], "the format of most layers first"
    for name, words in named.items():
        assert set(re.findall(r"layer\d+", words)) == {layer for layer, own in formats.items() if own == name}
    assert len(re.findall(r"layer\d+", text)) == 40


def test_chart_holds_every_design_in_both_halves() -> None:
    found = designs()
    traces = hover.chart(found).to_plotly_json()["data"]
    for axis, value in (
        ("y", lambda own: own.accuracy.percent),
        ("y2", lambda own: 100 * own.utilisation),
    ):
        shown = {}
        for trace in traces:
            if trace["yaxis"] == axis and trace.get("text") is not None:
                for x, y, text in zip(trace["x"], trace["y"], trace["text"], strict=True):
                    shown[text] = (x, y)
        assert shown == {hover.about(found, own): (found.microseconds(own), value(own)) for own in found.points}
        (picked,) = (trace for trace in traces if trace["name"] == "picked" and trace["yaxis"] == axis)
        assert (list(picked["x"]), list(picked["y"])) == ([found.microseconds(point(2))], [value(point(2))])


def test_names_are_words_not_markup() -> None:
    odd = point(0).model_copy(update={"name": "a<b>&c", "formats": {"x<y": "int8", "z": "int4"}})
    text = hover.about(designs(), odd)
    assert "a&lt;b&gt;&amp;c" in text
    assert "x&lt;y" in text
    assert "<title>Front on a&lt;b" in hover.page(Designs("a<b", 100, [point(0)]))
