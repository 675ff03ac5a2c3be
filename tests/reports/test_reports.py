from __future__ import annotations

import csv
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports import html, plots, tables
from reports.dataflow import _layout
from reports.schema import Accuracy, Label, Report, ReportError, Target
from tests.reports.example import report


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    made = report()
    html.write_page(made, folder)
    return folder


class Page(HTMLParser):
    """Words and images of a page; asserts that every tag that must be closed is."""

    VOID = ("meta", "img", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.images: list[str] = []
        self.links: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        values = dict(attrs)
        if tag == "img":
            self.images.append(values["src"] or "")
        self.links += [value for key, value in attrs if key in ("href", "src") and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_round_trip(folder: Path) -> None:
    assert Report.load(folder / "report.json") == report()


@pytest.mark.parametrize(
    "change, says",
    [
        ({"version": 3}, "field 'version': 3"),
        ({"surprise": 1}, "field 'surprise'"),
        ({"targets": 3}, "field 'targets': 3"),
    ],
)
def test_other_files_are_refused(folder: Path, tmp_path: Path, change: dict[str, object], says: str) -> None:
    entry = json.loads((folder / "report.json").read_text())
    path = tmp_path / "report.json"
    path.write_text(json.dumps(entry | change))
    with pytest.raises(ReportError, match=re.escape(str(path))) as caught:
        Report.load(path)
    assert says in str(caught.value)


@pytest.mark.parametrize("correct, total", [(0, 540), (530, 540), (540, 540), (1, 3)])
def test_interval_bounds_solve_the_score_equation(correct: int, total: int) -> None:
    accuracy = Accuracy(correct=correct, total=total)
    p = correct / total
    for bound in (value / 100 for value in accuracy.interval):
        assert 0 <= bound <= 1
        # the bounds are where the normal approximation puts the observed share 1.96 deviations away
        if 0 < bound < 1:
            assert abs(p - bound) == pytest.approx(1.959964 * math.sqrt(bound * (1 - bound) / total), rel=1e-6)


def test_page_is_complete_and_shows_without_other_files(folder: Path) -> None:
    page = Page((folder / "index.html").read_text())
    made = report()
    assert len(page.images) == 1 + 2 * len(made.targets) + 2
    beside = [link for link in page.links if not link.startswith(("data:image/png;base64,", "#"))]
    assert beside == [f"front_{target.device}.html" for target in made.targets]
    assert all((folder / link).is_file() for link in beside)
    words = " ".join(" ".join(page.words).split())
    for target in made.targets:
        assert target.title in words
        for layer in target.design.layers:
            assert layer.name in words
    assert "16,012" in words
    assert "123,456" not in words
    assert "96.66 % test accuracy, -1.30 points against float; chosen by 97.04 % of the validation images" in words
    assert "0 mismatches" in words
    assert "cycles of latency of the first image (by the cycle simulator 6,050)" in words
    assert "all may be active: the dense version never has more frames a second" in words
    # the program's 2,900 cycles of the fastest design are 4.92 % below 3,050 simulated, and never above
    assert "at most 1.64 % away from it" in words
    assert "at most 4.92 % away. Both are over the designs of this network that were simulated, 8 in all" in words
    assert "Simulated latencies lie at most 0.00 % below what the program counts" in words
    assert "no design of the family of p2 has less than 4,000 cycles in its share of the device" in words
    assert "where p2 has 6,050. This is empirical" in words


def test_pictures_are_files_beside_the_page(folder: Path) -> None:
    pictures = sorted(path.name for path in folder.glob("*.png"))
    assert pictures == [
        "cycles_ecp5-25k.png",
        "cycles_zu3eg.png",
        "dataflow.png",
        "density_ecp5-25k.png",
        "front_ecp5-25k.png",
        "front_zu3eg.png",
        "occupancy_ecp5-25k.png",
    ]
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in pictures)


def test_tables_hold_every_point_and_layer(folder: Path) -> None:
    def rows(name: str) -> list[dict[str, str]]:
        with (folder / name).open() as file:
            return list(csv.DictReader(file))

    target = report().targets[0]
    front = rows("front_zu3eg.csv")
    assert len(front) == len(target.points)
    assert [row["point"] for row in front if row["chosen"] == "True"] == [target.design.point]
    assert [row["point"] for row in front[:5]] == ["p4", "p3", "p2", "p1", "p0"], "the front first, fastest first"
    layers = rows("layers_zu3eg.csv")
    assert [row["cycles estimated"] for row in layers] == [row["cycles rtl"] for row in layers]
    used = rows("utilisation_zu3eg.csv")
    assert used[0] == {
        "resource": "LUT",
        "device": "70560",
        "budget": "49392",
        "estimated": "17000",
        "estimated %": "24.093",
        "synthesized": "16012",
        "synthesized %": "22.6927",
    }


def test_formats_are_summed_up() -> None:
    assert tables.summary({"a": "int8", "b": "int8"}) == "int8"
    assert tables.summary({"a": "int8", "b": "int4", "c": "int4"}) == "int4 x2, int8 x1"


def test_report_without_rtl_or_simulation_still_renders(tmp_path: Path) -> None:
    def bare(target: Target) -> Target:
        layers = [layer.model_copy(update={"cycles": {Label.ESTIMATED: 10}}) for layer in target.design.layers]
        update = {"check": None, "layers": layers, "latency": {Label.ESTIMATED: 6000}}
        points = [point.model_copy(update={"latency": {Label.ESTIMATED: 500}}) for point in target.points]
        return target.model_copy(update={"points": points, "design": target.design.model_copy(update=update)})

    made = report()
    made = made.model_copy(update={"targets": [bare(target) for target in made.targets]})
    page = Page(html.render(made, plots.write(made, tmp_path)))
    assert "–" in "".join(page.words)


def test_dataflow_edges_keep_clear_of_nodes() -> None:
    nodes = report().graph
    routes, place = _layout(nodes)
    assert len(set(place.values())) == len(place), "no two stops share a place"
    for route in routes:
        heights = [place[stop][1] for stop in route]
        assert heights == [heights[0] - i for i in range(len(route))], "one step down at a time, to a free place"


def test_density_table_gives_the_ratio_to_the_dense_version(folder: Path) -> None:
    with (folder / "density_ecp5-25k.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["active sites %"]) for row in rows] == [1, 10, 50, 100]
    assert float(rows[2]["latency ratio"]) == pytest.approx(3000 / 3500, rel=1e-5)
    assert not (folder / "density_zu3eg.csv").exists()


def test_a_bitstream_is_shown_with_its_clock_and_what_it_takes(folder: Path) -> None:
    page = Page((folder / "index.html").read_text())
    words = " ".join(" ".join(page.words).split())
    assert "93.8 MHz at most on ulx3s-25f, clocked at 80 MHz: bitstream build/ecp5-25k/board.bit routed" in words
    assert "16,444" in page.words
    assert words.count("Routed by nextpnr") == 1
    with (folder / "utilisation_ecp5-25k.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["routed"] for row in rows] == ["16444", "8333", "4", "42"]
    assert "routed" not in (folder / "utilisation_zu3eg.csv").read_text()
