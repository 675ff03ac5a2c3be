"""A cache folder of a test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.data.cache import cache_dir


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_dir() == tmp_path / "cache" / "netweave" / "data"
    return cache_dir()
