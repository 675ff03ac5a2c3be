from __future__ import annotations

import csv
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from reports import html, plots, tables
from reports.confusion import confusion
from reports.dataflow import _layout
from reports.schema import AccuracyEntry, DesignEntry, Label, Missing, Report, ReportError, Target
from tests.reports.example import BUILT, labels_and_answers, report


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    made = report()
    html.write_page(made, folder)
    return folder


class Page(HTMLParser):
    """Words, images, tables and cards of a page; asserts that every tag that must be closed is.

    ``tables``: by the heading above, the cells of each table, row by row, and the class of the element around it.
    """

    VOID = ("meta", "img", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.images: list[str] = []
        self.links: list[str] = []
        self.classes: list[str] = []
        self.heading = ""
        self.tables: dict[str, list[tuple[list[list[str]], str]]] = {}
        self.cards: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "table":
            self.tables.setdefault(self.heading, []).append(([], self.classes[-1]))
        if tag not in self.VOID:
            self.open.append(tag)
            self.classes.append(values.get("class") or "")
        match tag, values.get("class"):
            case "h2" | "h3", _:
                self.heading = ""
            case "tr", _:
                self.tables[self.heading][-1][0].append([])
            case "td" | "th", _:
                self.tables[self.heading][-1][0][-1].append("")
            case "div", "card":
                self.cards.append("")
        if tag == "img":
            self.images.append(values["src"] or "")
        self.links += [value for key, value in attrs if key in ("href", "src") and value]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.classes.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if {"h2", "h3"} & {*self.open}:
            self.heading += data
        if {"td", "th"} & {*self.open}:
            self.tables[self.heading][-1][0][-1][-1] += data
        if "card" in self.classes:
            self.cards[-1] += data


def test_round_trip(folder: Path) -> None:
    assert Report.load(folder / "report.json") == report()


@pytest.mark.parametrize(
    "change, says",
    [
        ({"version": 2}, "field 'version': 2"),
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
    accuracy = AccuracyEntry(correct=correct, total=total)
    p = correct / total
    for bound in (value / 100 for value in accuracy.interval):
        assert 0 <= bound <= 1
        # the bounds are where the normal approximation puts the observed share 1.96 deviations away
        if 0 < bound < 1:
            assert abs(p - bound) == pytest.approx(1.959964 * math.sqrt(bound * (1 - bound) / total), rel=1e-6)


def test_page_is_complete_and_shows_without_other_files(folder: Path) -> None:
    page = Page((folder / "index.html").read_text())
    made = report()
    assert len(page.images) == 1 + 3 * len(made.targets) + 2
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
        "confusion_ecp5-25k.png",
        "confusion_zu3eg.png",
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


def rows_of(page: Page, heading: str, device: int = 0) -> list[list[str]]:
    """The rows of the first table below a heading in the section of a device, the head left out."""
    return page.tables[heading][device][0][1:]


def test_classes_are_counted_as_a_loop_over_the_images_counts_them(folder: Path) -> None:
    page = Page((folder / "index.html").read_text())
    labels, answers = labels_and_answers()
    rows = rows_of(page, "Test images by class")
    assert [row[0] for row in rows] == [str(own) for own in range(10)]
    for own, row in enumerate(rows):
        taken = [int(answer) for label, answer in zip(labels, answers, strict=True) if label == own]
        assert row[1:3] == [str(len(taken)), str(taken.count(own))]
        if not taken:
            assert row[3:] == ["–"] * 5, "no test image, and nothing to say of them"
            continue
        assert float(row[3]) == pytest.approx(100 * taken.count(own) / len(taken), abs=0.005)
        wrong = [answer for answer in taken if answer != own]
        most = max(map(wrong.count, wrong))
        assert (wrong.count(int(row[6])), int(row[7])) == (most, most)
    with (folder / "confusion_zu3eg.csv").open() as file:
        counted = [[int(count) for count in row] for row in [*csv.reader(file)][1:]]
    assert [row[0] for row in counted] == [*range(10)]
    assert [sum(row[1:]) for row in counted] == [int((labels == own).sum()) for own in range(10)]
    pairs = [*zip(labels, answers, strict=True)]
    assert all(count == pairs.count((own, other)) for own, *row in counted for other, count in enumerate(row))


@pytest.mark.parametrize(
    "change, says",
    [
        ({"confusion": [[520, 19], [0, 0]]}, "counts 520 right of 539 images; it must be 521 right of 539"),
        ({"confusion": [[521, 18], [0]]}, r"rows of \[2, 1\] classes; each must have 2"),
    ],
)
def test_a_confusion_matrix_counts_the_test_images(change: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DesignEntry.model_validate({**report().targets[0].design.model_dump(), **change})


@pytest.mark.parametrize("classes", [2, 37, 100])
def test_the_matrix_shows_each_count_within_its_cell(classes: int) -> None:
    rng, target = np.random.default_rng(classes), report().targets[0]
    counts = np.diag(rng.integers(100, 1000, classes))
    counts[*rng.integers(0, classes, (2, 40))] = 7
    accuracy = AccuracyEntry(correct=int(np.trace(counts)), total=int(counts.sum()))
    design = target.design.model_copy(update={"confusion": counts.tolist(), "test": accuracy})
    figure = confusion(target.model_copy(update={"design": design}))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    (axes,) = figure.axes
    cell = axes.transData.transform([[0, 0], [1, 1]])
    width, height = abs(cell[1] - cell[0])
    shown = np.zeros_like(counts)
    for text in axes.texts:
        column, row = map(int, text.get_position())
        shown[row, column] = int(text.get_text())
        box = text.get_window_extent(canvas.get_renderer())
        assert box.width < width
        assert box.height < height
        assert box.height >= 4, "pixels"
    assert np.array_equal(shown, counts)
    title = figure.axes[0].get_tightbbox(canvas.get_renderer())
    assert title is not None
    assert title.x1 <= figure.bbox.width, "the title is not cut off"


def test_resources_by_layer_add_up_to_the_design(folder: Path) -> None:
    page = Page((folder / "index.html").read_text())
    for device, target in enumerate(report().targets):
        *layers, between, whole = rows_of(page, "Resources by layer", device)
        assert [row[0] for row in layers] == [layer.name for layer in target.design.layers]
        assert whole[0] == "whole design"
        columns = dict(zip(("lut", "ff", "bram", "dsp"), range(2, 10, 2), strict=True))
        for kind, column in columns.items():
            used = [int(row[column].replace(",", "")) for row in (*layers, between)]
            assert used[:-1] == [getattr(layer.resources, kind) for layer in target.design.layers]
            assert sum(used) == int(whole[column].replace(",", ""))
            assert sum(used) == getattr(target.design.resources[Label.ESTIMATED], kind)
            share = 100 * sum(used) / getattr(target.available, kind)
            assert float(whole[column + 1]) == pytest.approx(share, abs=0.005)
        head = page.tables["Resources by layer"][device][0][0]
        assert [cell for cell in head if "estimated" in cell] == [f"{kind} estimated" for kind in columns]


def test_every_queue_has_its_ends_and_its_depth(folder: Path) -> None:
    page = Page((folder / "index.html").read_text())
    assert rows_of(page, "Queues") == [
        ["stem", "layer1_conv1, layer1_add", "23", "7", "161", "room"],
        ["stem", "layer1_add", "23", "41", "943", "latency balance"],
    ]


def test_every_time_and_frame_rate_names_its_clock_and_where_it_is_from(folder: Path) -> None:
    page = Page((folder / "index.html").read_text())
    cards = [" ".join(card.split()) for card in page.cards]
    timed = [card for card in cards if " µs " in card or "frames a second" in card]
    assert len(timed) == 2 * (3 + 3)
    for card in timed[:6]:
        assert " at 200 MHz, assumed clock " in card
    for card in timed[6:]:
        assert " at 80 MHz, routed " in card
    words = " ".join(" ".join(page.words).split())
    assert "Clock: 200 MHz, assumed clock: no router has confirmed it" in words
    assert "Clock: 80 MHz, routed: the routed design runs at 93.8 MHz" in words


@pytest.mark.parametrize("clock, origin", [(93.75, "routed"), (93.8, "assumed clock")])
def test_a_clock_is_routed_where_the_router_confirms_it(clock: float, origin: str) -> None:
    board = report().targets[1]
    assert board.design.built == BUILT
    assert board.model_copy(update={"clock_mhz": clock}).clock == origin


def test_every_table_scrolls_inside_its_frame(folder: Path) -> None:
    text = (folder / "index.html").read_text()
    around = [frame for tables in Page(text).tables.values() for _, frame in tables]
    assert len(around) == 2 * 6 + 1 + 1
    assert {*around} == {"scroll"}
    (rule,) = re.findall(r"\.scroll \{(.*?)\}", text)
    assert "overflow: auto" in rule
    assert "max-width: 100%" in rule


def test_what_is_missing_is_said_with_the_command_that_makes_it(folder: Path) -> None:
    made = report()
    assert "Not in this report" not in (folder / "index.html").read_text()
    missing = [Missing(stage="generate", gives="the Verilog"), Missing(stage="cosim", gives="RTL against golden")]
    first = made.targets[0]
    estimated = {Label.ESTIMATED: first.design.resources[Label.ESTIMATED]}
    design = first.design.model_copy(update={"check": None, "resources": estimated})
    first = first.model_copy(update={"missing": missing, "design": design})
    made = made.model_copy(update={"targets": [first, made.targets[1]]})
    page = Page(html.render(made, {path.stem: path for path in folder.glob("*.png")}))
    words = " ".join(" ".join(page.words).split())
    assert words.count("Not in this report") == 1
    assert "the Verilog: netweave generate CONFIG.toml" in words
    assert "RTL against golden: netweave cosim CONFIG.toml" in words
    assert words.count("Not synthesized yet.") == 1
    assert words.count("Synthesized by Yosys, without latches") == 1
