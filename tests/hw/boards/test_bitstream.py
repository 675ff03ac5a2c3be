"""Projects built into bitstreams: by netweave and by their Makefiles, seed after seed until one reaches the clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dse.estimate import estimate
from hw.boards import bitstream
from hw.boards.bitstream import BuildResult, _ProgressMonitor, build
from hw.boards.board import BOARDS
from hw.boards.project import NETLIST
from hw.fpga.device import Resources
from hw.fpga.mapping import Mapping
from hw.generate.emit import MAPPING_FILE
from hw.streams.manifest import load_manifest
from hw.tools.nextpnr import RoutingError
from hw.tools.toolchains.ice40 import Ice40
from hw.tools.yosys import synthesize
from models.ir.serialize import load
from tests.hw.boards.projects import CLOCK, project, stub_project


def test_what_nextpnr_is_at() -> None:
    reported: list[tuple[str, int, int]] = []
    watch = _ProgressMonitor(lambda *step: reported.append(step))
    for line in (
        "Info:     at iteration #3, type ALL: wirelen solved = 505, spread = 1796, legal = 2273; time = 0.06s",
        "Info: Routing 1351 arcs.",
        "Info:            |   (re-)routed arcs  |   delta    | remaining|       time spent     |",
        "Info:       1000 |      172        810 |  172   810 |       530|       1.22       1.22|",
    ):
        watch(line)
    assert reported == [("placement, round 3", 1, 3), ("routing, arcs", 821, 1351)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ulx3s-85f", "icebreaker", "tang-primer-20k"])
def test_a_project_is_built(design: Path, tmp_path: Path, name: str) -> None:
    """By netweave, and by its Makefile to the same bitstream."""
    board = BOARDS[name]
    folder = stub_project(tmp_path / "project", board, design)
    reported: list[str] = []
    built = build(folder, board, tmp_path / "logs", lambda what, done, total: reported.append(what))
    assert isinstance(built, BuildResult)
    assert built.fmax_mhz >= built.clock_mhz == CLOCK[name]
    assert built.resources.bram == (2 if name == "icebreaker" else 1)
    assert "synthesis" in reported
    assert reported[-1] == "bitstream"
    again = stub_project(tmp_path / "again", board, design)
    tools = Path(sys.executable).parent
    subprocess.run(["make", "-s"], cwd=again, check=True, capture_output=True, env={"PATH": f"{tools}:/usr/bin:/bin"})
    assert (again / built.bitstream).read_bytes() == (folder / built.bitstream).read_bytes()
    assert not (folder / NETLIST).exists()


@pytest.mark.slow
def test_a_tiny_network_fits_and_routes_on_an_ice40(design: Path, tmp_path: Path) -> None:
    board = BOARDS["icebreaker"]
    folder = project(design, board, tmp_path / "project")
    built = build(folder, board, tmp_path / "logs")
    assert (folder / "board.bin").stat().st_size > 100_000
    alone = synthesize(design / "netweave.v", board.target.synth, log=tmp_path / "alone.log").resources
    assert built.resources.dsp == alone.dsp
    estimated = estimate(load(design), Mapping.load(design / MAPPING_FILE), board.target).resources
    assert (estimated["bram"], estimated["dsp"]) == (alone.bram, alone.dsp)
    # the link's queue
    assert built.resources.bram == alone.bram + -(-load_manifest(design).input.width // 16)


@pytest.mark.slow
def test_a_clock_that_is_missed_is_reported_by_how_much(design: Path, tmp_path: Path) -> None:
    board = BOARDS["icebreaker"]
    folder = stub_project(tmp_path / "project", board, design)
    settings = json.loads((folder / "board.json").read_text())
    (folder / "board.json").write_text(json.dumps(settings | {"clock_mhz": 200.0}))
    with pytest.raises(RoutingError, match=r"routed for [0-9.]+ MHz, below the clock of 200 MHz; a clock_mhz of \d+"):
        build(folder, board, tmp_path / "logs")
    assert not (folder / "board.bin").exists()


def test_placements_are_tried_until_one_keeps_to_the_clock(
    design: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, reached = BOARDS["icebreaker"], {1: 22.0, 2: 24.5, 3: 28.0}
    tried: list[int] = []

    def routed(program: str, arguments: tuple[str, ...], folder: Path, log: Path, *_: object) -> int:
        log.write_text("")
        (folder / NETLIST).touch()
        if "--seed" in arguments:
            tried.append(int(arguments[arguments.index("--seed") + 1]))
            (folder / "report.json").write_text("{}")
            (folder / "board.asc").touch()
        return 0

    monkeypatch.setattr(bitstream, "run_script", lambda *_, **__: [])
    monkeypatch.setattr(bitstream, "run", routed)
    monkeypatch.setattr(bitstream, "fmax_of", lambda _: reached[tried[-1]])
    monkeypatch.setattr(Ice40, "resources", lambda *_: Resources())
    (tmp_path / "logs").mkdir()
    folder = stub_project(tmp_path / "project", board, design)
    built = build(folder, board, tmp_path / "logs", seeds=3)
    assert (built.seed, built.fmax_mhz, tried) == (2, 24.5, [1, 2])
    assert "--seed 2 " in (folder / "Makefile").read_text()
    reached[2] = 23.5
    with pytest.raises(RoutingError, match=r"routed for 23\.5 MHz, below the clock of 24 MHz"):
        build(folder, board, tmp_path / "logs", seeds=2)
