"""The example as files: its report, and the folder of an exploration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reports import html
from reports.designs import FRONT_VERSION
from reports.schema import Label
from tests.reports.example import point, report


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the example with all that lies beside it."""
    folder = tmp_path_factory.mktemp("report")
    html.write_page(report(), folder)
    return folder


@pytest.fixture
def explored(tmp_path: Path) -> Path:
    """A folder as an exploration leaves it."""
    points = []
    for i in range(8):
        own = point(i)
        low, high = own.accuracy.interval
        points.append(
            {
                "name": own.name,
                "assignment": own.formats,
                "mapping": f"{own.name}/mapping.json",
                "correct": own.accuracy.correct,
                "total": own.accuracy.total,
                "right": own.right,
                "interval": [low / 100, high / 100],
                "estimated": own.latency[Label.ESTIMATED],
                "simulated": own.latency[Label.SIMULATED],
                "bottleneck": own.bottleneck[Label.ESTIMATED],
                "resources": own.resources.model_dump(),
                "utilisation": own.utilisation,
                "program": own.program,
                "tried": own.tried,
                "gained": own.gained,
                "minimised": own.solver.minimised,
                "solver": {"objective": 4000.0, **own.solver.model_dump(exclude={"minimised"})},
            }
        )
    head = {"version": FRONT_VERSION, "device": "zu3eg", "clock_mhz": 200.0}
    (tmp_path / "designs.json").write_text(json.dumps({**head, "points": points}))
    (tmp_path / "front.json").write_text(json.dumps({**head, "points": points[:5]}))
    return tmp_path
