from __future__ import annotations

import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from reports import front, hover
from reports.artifact import ArtifactError
from reports.designs import Designs, read
from reports.paired import packed
from reports.schema import AccuracyEntry, Label, Point
from reports.undecided import undecided
from tests.reports.example import point


def designs(chosen: str | None = "p2") -> Designs:
    return Designs("zu3eg", 200, [point(i) for i in range(8)], chosen)


def at(latency: int, correct: int, name: str) -> Point:
    accuracy = AccuracyEntry(correct=correct, total=20)
    return point(0).model_copy(update={"name": name, "latency": {Label.ESTIMATED: latency}, "accuracy": accuracy})


@pytest.fixture
def explored(tmp_path: Path) -> Path:
    """A folder as an exploration leaves it."""
    points = []
    for i in range(8):
        own = point(i)
        low, high = own.accuracy.interval
        points.append(
            {
                "name": own.name,
                "assignment": own.formats,
                "mapping": f"{own.name}/mapping.json",
                "correct": own.accuracy.correct,
                "total": own.accuracy.total,
                "right": own.right,
                "interval": [low / 100, high / 100],
                "estimated": own.latency[Label.ESTIMATED],
                "simulated": own.latency[Label.SIMULATED],
                "bottleneck": own.bottleneck[Label.ESTIMATED],
                "resources": own.resources.model_dump(),
                "utilisation": own.utilisation,
                "program": own.program,
                "tried": own.tried,
                "gained": own.gained,
                "minimised": own.solver.minimised,
                "solver": {"objective": 4000.0, **own.solver.model_dump(exclude={"minimised"})},
            }
        )
    head = {"version": 2, "device": "zu3eg", "clock_mhz": 200.0}
    (tmp_path / "designs.json").write_text(json.dumps({**head, "points": points}))
    (tmp_path / "front.json").write_text(json.dumps({**head, "points": points[:5]}))
    return tmp_path


def test_what_was_explored_is_read_back(explored: Path) -> None:
    assert read(explored, "p2") == designs()
    (explored / "front.json").unlink()
    with pytest.raises(ArtifactError, match="`netweave explore` makes it"):
        read(explored)


def test_steps_are_those_that_none_beats_in_latency_and_accuracy() -> None:
    rng = random.Random(0)
    for _ in range(200):
        points = [at(rng.randint(1, 9), rng.randint(0, 9), str(n)) for n in range(rng.randint(1, 12))]
        found = Designs("zu3eg", 100, points)

        def costs(own: Point) -> tuple[float, int]:
            return own.latency[Label.ESTIMATED], -own.accuracy.correct

        pairs = {costs(own) for own in points}
        expected = sorted(a for a in pairs if not any(b != a and b[0] <= a[0] and b[1] <= a[1] for b in pairs))
        assert [costs(own) for own in found.staircase] == expected


def test_latency_is_simulated_only_where_all_were() -> None:
    some = [*designs().points, at(400, 19, "estimated alone")]
    assert designs().label is Label.SIMULATED
    assert Designs("zu3eg", 200, some).label is Label.ESTIMATED
    assert designs().microseconds(point(0)) == 9050 / 200


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


def test_designs_that_chance_may_set_apart_are_named() -> None:
    right = np.zeros(540, bool)
    right[:518] = True
    one, other = point(4), point(3)
    # as many images gained as before, with as many others lost: 8 against 5, and then 8 against none
    lost = right.copy()
    lost[:5], lost[518:526] = False, True
    gained = right.copy()
    gained[518:526] = True
    for after, told_apart in ((lost, False), (gained, True)):
        pair = one.model_copy(update={"right": packed(right)}), other.model_copy(update={"right": packed(after)})
        found = undecided(pair)
        assert [(own.faster, own.slower) for own in found] == ([] if told_apart else [("p4", "p3")])
        if found:
            # of 13, 5 or fewer on either side: 2 (1 + 13 + 78 + 286 + 715 + 1287) / 2^13
            assert found[0].probability == pytest.approx(2 * 2380 / 8192)
            assert "p3 over p4 (p = 0.58)" in hover.page(Designs("zu3eg", 200, pair))


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


class Tags(HTMLParser):
    """The addresses that a page loads by itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [value or "" for key, value in attrs if key in ("src", "href")]


def test_picture_and_page_are_written_and_load_nothing(explored: Path) -> None:
    front.write_front(explored, "p2")
    assert (explored / "front.png").read_bytes().startswith(b"\x89PNG")
    page = (explored / "front.html").read_text()
    assert Tags(page).loads == []
    assert "Plotly.newPlot" in page
    assert "Picked: p2." in page
    assert "where p2 has\n6,050. This is empirical" in page
    front.write_front(explored, "p2")
    assert (explored / "front.html").read_text() == page, "the same designs give the same file"
    front.write_front(explored)
    assert "Picked" not in (explored / "front.html").read_text()


def test_title_counts() -> None:
    assert front.title(designs()) == "zu3eg: 5 designs on the front, 5 of them by latency and accuracy alone"
    assert (
        front.title(Designs("u", 1, [at(5, 9, "a")]))
        == "u: 1 design on the front, 1 of them by latency and accuracy alone"
    )
