"""A report is read as it was written, and figures that contradict each other are refused."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from reports.schema import AccuracyEntry, DesignEntry, Report, ReportError
from tests.reports.example import BUILT, report


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


@pytest.mark.parametrize("clock, origin", [(93.75, "routed"), (93.8, "assumed clock")])
def test_a_clock_is_routed_where_the_router_confirms_it(clock: float, origin: str) -> None:
    board = report().targets[1]
    assert board.design.built == BUILT
    assert board.model_copy(update={"clock_mhz": clock}).clock == origin
