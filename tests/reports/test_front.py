"""The front's picture and page are written from what an exploration left."""

from __future__ import annotations

from pathlib import Path

from reports import front
from reports.designs import Designs
from tests.reports.example import at, designs
from tests.reports.page import Tags


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
