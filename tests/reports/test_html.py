"""The page holds every figure with its origin, loads nothing from elsewhere, and says what is missing."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from reports import html, plots
from reports.schema import Label, Missing, Target
from tests.reports.example import report
from tests.reports.page import Page


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
