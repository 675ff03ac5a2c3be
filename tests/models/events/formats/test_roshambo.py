"""The layout of RoShamBo17: recordings named after what they show."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.events import EventError
from models.events.formats import aedat2, roshambo
from tests.models.events import files
from tests.models.events.files import random_events, rows, write_file


def test_roshambo_layout(tmp_path: Path) -> None:
    with pytest.raises(EventError, match=r"holds no \.aedat"):
        roshambo.trials(tmp_path)
    events = random_events(9, 30, 180, 240)
    for name in ("rock_a_b", "background_1", "paper_x"):
        write_file(tmp_path / f"{name}.aedat", files.aedat2(events, 180))
    result = roshambo.trials(tmp_path)
    assert [label for label, _ in result] == ["background", "paper", "rock"]
    assert all(rows(aedat2.read(path)) == events for _, path in result)
    write_file(tmp_path / "well_1.aedat", b"")
    with pytest.raises(EventError, match="class 'well' must be one of paper, scissors, rock, background"):
        roshambo.trials(tmp_path)
