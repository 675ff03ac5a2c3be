"""The command in a folder of its own, by itself or with a run that is explored."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cosim.rtl.check import Check
from cosim.rtl.design import Cosim, Timing
from cosim.rtl.layers import LayerRun
from cosim.rtl.testbench_runner import Stalls
from hw.fpga.device import Resources
from hw.tools.yosys import Synthesis
from models.ir.frame import Frame
from netweave import config as configuration
from netweave import flow
from netweave.workers import Pool
from tests.netweave.bad_inputs.support import DEVICE, ROOT, Command

TINY = f"""
model = "{ROOT}/examples/tiny_network.py:build"
[train]
epochs = 1
[quantize]
formats = ["int2"]
epochs = 0
[explore]
budgets = 1
points = 1
{DEVICE}pick = "knee"
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, monkeypatch, capsys)


@pytest.fixture(scope="session")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration, and its run up to the exploration: a network of two layers in two bits."""
    folder = tmp_path_factory.mktemp("explored")
    (folder / "net.toml").write_text(TINY)
    config = configuration.load(folder / "net.toml")
    for stage in (flow.train, flow.quantize):
        stage(config, folder / "run")
    flow.explore(config, folder / "run", pool=Pool(None, 1))
    return folder


@pytest.fixture
def broken(command: Command, explored: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, in a copy of that folder."""
    shutil.copytree(explored, command.folder, dirs_exist_ok=True)
    monkeypatch.setattr("netweave.designs.synthesize", _unreachable)
    return command


def _unreachable(*_: object, **__: object) -> None:
    raise RuntimeError("what is wrong was let through")


@pytest.fixture(scope="session")
def checked(explored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That folder with a design and its cosimulation, of which Yosys and the simulator are left out."""
    folder = tmp_path_factory.mktemp("checked") / "whole"
    shutil.copytree(explored, folder)
    config = configuration.load(folder / "net.toml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netweave.designs.synthesize", lambda *_, **__: Synthesis(Resources(100, 100), {}, [], 1.0))
        flow.generate(config, folder / "run")
        patch.setattr("netweave.designs.run_rtl", _equal)
        flow.cosim(config, folder / "run")
    return folder


def _equal(design: Path, frames: list[Frame], **_: object) -> Cosim:
    """As if the RTL had answered every frame as golden does."""
    count = len(frames)
    ends = tuple(range(100, 100 + 70 * count, 70))
    return Cosim(
        name="net", device="ecp5-25k", verilog="0" * 64, simulator="verilator", stalls=Stalls(),
        check=Check(frames=count, streams=("o",), values=count, mismatches=()), cycles=ends[-1],
        latency=(100,) * count, intervals=(70,) * (count - 1),
        streams={name: Timing(count, ends, ends) for name in ("i", "o")},
        layers={"conv_0": LayerRun((70, 70), None)}, build_seconds=1.0, wall_seconds=1.0,
    )  # fmt: skip


@pytest.fixture
def built(command: Command, checked: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command, in a copy of that folder."""
    shutil.copytree(checked, command.folder, dirs_exist_ok=True)
    monkeypatch.setattr("cosim.rtl.design.simulate", _unreachable)
    monkeypatch.setattr("netweave.designs.write_page", _unreachable)
    return command
