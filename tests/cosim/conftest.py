from __future__ import annotations

from pathlib import Path

import pytest

from cosim.rtl.simulator import SimulatorKind
from tests.support.simulators import installed


@pytest.fixture(scope="session")
def build_dir(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Where all tests, of all workers, keep their simulator builds, so that each design is built once."""
    session = tmp_path_factory.getbasetemp()
    return (session if worker_id == "master" else session.parent) / "simulators"


@pytest.fixture(params=SimulatorKind)
def simulator(request: pytest.FixtureRequest) -> str:
    """Each simulator in turn."""
    return installed(request.param)


@pytest.fixture
def verilator() -> str:
    return installed(SimulatorKind.VERILATOR)
