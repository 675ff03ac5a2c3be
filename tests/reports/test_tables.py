"""Tables as files and on the page, each figure counted again from the example."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from reports import tables
from reports.schema import Label
from tests.reports.example import labels_and_answers, report
from tests.reports.page import Page, rows_of


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


def test_density_table_gives_the_ratio_to_the_dense_version(folder: Path) -> None:
    with (folder / "density_ecp5-25k.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["active sites %"]) for row in rows] == [1, 10, 50, 100]
    assert float(rows[2]["latency ratio"]) == pytest.approx(3000 / 3500, rel=1e-5)
    assert not (folder / "density_zu3eg.csv").exists()


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
