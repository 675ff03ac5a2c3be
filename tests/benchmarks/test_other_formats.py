"""The benchmark of other formats compares each of them with integers and DyBit of as many bits, image by image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import other_formats
from benchmarks.number_formats import tables
from benchmarks.number_formats.tables import Evaluation
from benchmarks.tables import other_formats as shown

RIGHT = {"int": 80, "dybit": 85, "fp": 90, "pot": 50}


def test_every_format_stands_beside_integers_and_dybit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(evaluation: Evaluation) -> dict[str, Any]:
        return tables.counted(np.arange(100) < RIGHT[evaluation.family])

    monkeypatch.setattr(tables, "RUNS", tmp_path)
    monkeypatch.setattr(Evaluation, "run", run)
    figures = other_formats.measure()
    assert len(list((tmp_path / "evaluations").iterdir())) == (4 + 3) * 3 * 3
    assert len(figures["accuracy"]) == (4 + 3) * 3
    assert figures["accuracy"]["W4/A4 pot, fine-tuned"]["mean"] == 50
    over_int, over_dybit = figures["points over int"], figures["points over dybit"]
    means = [own["W6/A6 fp, reconstructed"]["mean"] for own in (over_int, over_dybit)]
    assert means == [10, 5]
    assert over_int["W6/A6 dybit, reconstructed"]["mean"] == 5
    assert not any(" int," in title for title in over_int)
    assert not any(" dybit," in title for title in over_dybit)
    bits_and_formats = [(row[0], row[2]) for row in shown.accuracies(figures).rows]
    assert bits_and_formats[:4] == [("W4/A4", f"{RIGHT[name]:.2f} ±0.00") for name in ("int", "dybit", "fp", "pot")]
    rows = {(row[0], row[1]): row[2] for row in shown.gains(figures).rows}
    assert rows["W4/A4", "pot over dybit"].startswith("**-35.00**")
    assert len(rows) == (1 + 2 + 2) + (1 + 2)
