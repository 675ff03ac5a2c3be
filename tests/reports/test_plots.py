"""Every picture of a report is a file, and bars are as long as layers take."""

from __future__ import annotations

from pathlib import Path

from reports import plots
from reports.schema import Label
from tests.reports.example import target


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


def test_layers_have_bars_of_both_kinds_of_cycles() -> None:
    """Estimated beside RTL, layer by layer; a layer that did not run by itself has no second bar."""
    device = target("zu3eg")
    first, *others = device.design.layers
    layers = [first.model_copy(update={"cycles": {Label.ESTIMATED: 1234}}), *others]
    design = device.design.model_copy(update={"layers": layers})
    (axes,) = plots.cycles(device.model_copy(update={"design": design})).axes
    estimated, measured = axes.containers
    assert [bar.get_width() for bar in estimated] == [1234, *(layer.cycles[Label.ESTIMATED] for layer in others)]
    bars = {round(bar.get_y() + bar.get_height() / 2 - 0.19): bar.get_width() for bar in measured}
    assert bars == {n: layer.cycles[Label.RTL] for n, layer in enumerate(layers) if n}
    assert [text.get_text() for text in axes.get_yticklabels()] == [layer.name for layer in layers]
