"""The whole flow on a small network of a user's own, once; minutes, as it builds simulators and synthesizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosim.rtl.design import Cosim
from dse.front import Front
from dse.pareto import dominates
from netweave import config, flow
from netweave.listener import Listener

ROOT = Path(__file__).resolve().parents[2]
CONFIG = f"""
model = "{ROOT}/examples/own_network.py:build"
[train]
epochs = 3
[quantize]
formats = ["int4", "dybit4"]
epochs = 1
[explore]
budgets = 2
points = 1
[[device]]
name = "ecp5-25k"
pick = "smallest-under 100"
[cosim]
images = 3
probes = true
"""


SPARSE = """
model = "digits_dvs_net"
data = "digits_dvs"
[train]
epochs = 3
[quantize]
formats = ["int4"]
epochs = 1
[explore]
activity = "p99"
budgets = 2
points = 1
[[device]]
name = "zu3eg"
utilisation = 0.2
frame_input = "mask"
pick = "smallest-under 100"
[cosim]
images = 3
probes = true
"""


class Fresh(Listener):
    def __init__(self) -> None:
        self.made: list[str] = []

    def end(self, stage: str, fresh: bool, folder: Path) -> None:
        if fresh:
            self.made.append(stage)


@pytest.mark.slow
@pytest.mark.parametrize("text", [CONFIG, SPARSE], ids=["dense", "sparse"])
def test_from_network_to_report(tmp_path: Path, text: str) -> None:
    path = tmp_path / "net.toml"
    path.write_text(text)
    wanted = config.load(path)
    heard = Fresh()
    flow.run(wanted, tmp_path / "run", heard)
    assert len(heard.made) == len(flow.STAGES) - 1, "all but the bitstream, for which no board is named"

    device = wanted.device[0].name
    points = Front.load(tmp_path / "run" / "explore" / device / "front.json").points
    assert not any(dominates(a.costs, b.costs) for a in points for b in points)
    checked = Cosim.load(tmp_path / "run" / "cosim" / device / "cosim.json")
    assert checked.equal
    assert checked.check.frames == 3
    report = flow.load_report(tmp_path / "run")
    (target,) = report.targets
    assert target.missing == []
    assert target.design.first == target.design.latency["rtl"]  # type: ignore[index]
    assert all(layer.cycles["estimated"] == layer.cycles["rtl"] for layer in target.design.layers)  # type: ignore[index]
    assert "<img" in (tmp_path / "run" / "report" / "index.html").read_text()

    again = Fresh()
    flow.run(wanted, tmp_path / "run", again)
    assert again.made == []
