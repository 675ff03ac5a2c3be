"""Files between stages, each read at the version it is written at."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosim.rtl import design
from dse import front
from reports.artifact import VERSION, ArtifactError, read_json, write_json
from reports.collect import COSIM_VERSION
from reports.designs import FRONT_VERSION


def test_files_are_read_at_the_version_that_they_are_written_at(tmp_path: Path) -> None:
    assert (COSIM_VERSION, FRONT_VERSION) == (design.VERSION, front.VERSION)
    write_json(tmp_path / "a.json", "train", {"x": 1})
    assert read_json(tmp_path / "a.json", "train", "train")["x"] == 1
    with pytest.raises(ArtifactError, match=f"'version': {VERSION}; this netweave reads {VERSION + 1}"):
        read_json(tmp_path / "a.json", "train", "train", VERSION + 1)
