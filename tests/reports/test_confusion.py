"""The picture of the confusion matrix: every count in its cell."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from reports.confusion import confusion
from reports.schema import AccuracyEntry
from tests.reports.example import report


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
