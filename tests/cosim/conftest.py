from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def build_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all tests keep their simulator builds, so that each design is built once."""
    return tmp_path_factory.mktemp("simulators")


@pytest.fixture(params=["verilator", "icarus"])
def simulator(request: pytest.FixtureRequest) -> str:
    return _present(request.param)


@pytest.fixture
def verilator() -> str:
    return _present("verilator")


@pytest.fixture
def icarus() -> str:
    return _present("icarus")


def _present(simulator: str) -> str:
    needed = {"verilator": "g++", "icarus": "iverilog"}[simulator]
    if shutil.which(needed) is None:
        pytest.skip(f"{needed} is not installed")
    return simulator
