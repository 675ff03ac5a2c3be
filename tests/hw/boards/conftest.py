"""The design of a tiny network for an iCE40, which the tests of projects and of bitstreams share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hw.boards.projects import tiny


@pytest.fixture(scope="package")
def design(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("tiny") / "design", "ice40up5k")
