"""The pictures of sparse designs: their points and bars are the figures of the example."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from reports.activity import cycles_by_density, occupancy
from tests.reports.example import by_density, target

SPARSE = target("ecp5-25k", sparse=True)


def rectangles(axes: Axes) -> list[Rectangle]:
    return [own for own in axes.patches if isinstance(own, Rectangle)]


def test_cycles_stand_over_the_shares_of_active_sites() -> None:
    density = by_density()
    (axes,) = cycles_by_density(SPARSE, density).axes
    lines = {str(line.get_label()): line for line in axes.lines}
    for field, words in (("latency", "latency of a frame"), ("interval", "between frames in a row")):
        x, y = np.array(lines[f"sparse, {words}"].get_data())
        assert x.tolist() == [1, 10, 50, 100]
        assert y.tolist() == [getattr(own, field) for own in density.sparse]
        assert {*np.asarray(lines[f"dense version, {words}"].get_ydata())} == {getattr(density.dense, field)}


def test_a_crossing_is_marked_where_there_is_one() -> None:
    """The dense version is faster from 60 % in latency, and never in frames a second."""
    (axes,) = cycles_by_density(SPARSE, by_density()).axes
    marks = [np.asarray(line.get_data()).tolist() for line in axes.lines if line.get_marker() == "s"]
    assert marks == [[[60], [3500]]]
    assert [text.get_text() for text in axes.texts] == ["60 %"]


def test_each_layer_has_its_density_and_each_window_its_share() -> None:
    """The bars of a layer with windows are 100 % together; layers without windows have none."""
    left, right, *_ = occupancy(SPARSE).axes
    layers = SPARSE.design.layers
    assert [bar.get_width() for bar in rectangles(left)] == pytest.approx([100 * layer.density for layer in layers])
    assert [text.get_text() for text in left.get_yticklabels()] == [layer.name for layer in layers]
    for row, layer in enumerate(layers):
        bars = [bar for bar in rectangles(right) if round(bar.get_y() + bar.get_height() / 2) == row]
        assert [bar.get_width() for bar in bars] == pytest.approx([100 * share for share in layer.occupancy])
        ends = np.cumsum([0, *layer.occupancy])[:-1] if layer.occupancy else []
        assert [bar.get_x() for bar in bars] == pytest.approx([100 * end for end in ends])
