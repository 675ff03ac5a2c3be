"""What a board's project holds, and that it is built: by its Makefile, and by netweave."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.nets import Builder
from dse.candidates import Table
from dse.estimate import estimate
from dse.explore import SearchSettings, budget_fractions, designs
from hw.boards import bitstream
from hw.boards.bitstream import BuildResult, _ProgressMonitor, build
from hw.boards.board import BOARDS, Board
from hw.boards.link import beat_bytes
from hw.boards.project import NETLIST, makefile, pins, steps, write_project
from hw.boards.top import board_verilog, clocking
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping
from hw.generate.emit import MAPPING_FILE, generate
from hw.streams.manifest import load_manifest
from hw.tools.nextpnr import RoutingError, fmax_of
from hw.tools.toolchains.ice40 import Ice40
from hw.tools.yosys import synthesize
from models.ir.formats.integer import IntType
from models.ir.serialize import load

STUB = """
module netweave(input clk, input rst, input [20:0] i__payload, input i__valid, output i__ready,
                output reg [32:0] o__payload, output reg o__valid, input o__ready);
  assign i__ready = !o__valid | o__ready;
  always @(posedge clk)
    if (rst) o__valid <= 0;
    else if (i__ready) begin o__valid <= i__valid; o__payload <= i__payload + 33'd1; end
endmodule
"""
CLOCK = {"ulx3s-85f": 50.0, "ulx3s-25f": 50.0, "icebreaker": 24.0, "tang-primer-20k": 54.0}


def tiny(folder: Path, device: str) -> Path:
    """A design of a network as small as they come."""
    builder = Builder(np.random.default_rng(0), (4, 4, 1), IntType(4, signed=False))
    builder.conv(2, 3, "int4", stride=2)
    builder.global_pool("int4")
    graph = builder.linear(3, "int4")
    table = Table({"int4": graph}, DEVICES[device])
    search = SearchSettings(limit=0.99, budgets=2)
    (smallest,) = designs(table, search, "int4", budget_fractions(table, search, "int4")[-1], 12.0)
    generate(graph, smallest.mapping, folder)
    return folder


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("tiny") / "design", "ice40up5k")


def project(design: Path, board: Board, folder: Path) -> Path:
    write_project(design, board, CLOCK[board.name], folder, [([1, 2], [3])], sparse=False)
    return folder


@pytest.mark.parametrize("name", BOARDS)
def test_every_file_of_a_project_is_there(design: Path, tmp_path: Path, name: str) -> None:
    made = project(design, BOARDS[name], tmp_path / "project")
    todo = steps(BOARDS[name], CLOCK[name])
    present = {path.name for path in made.iterdir()}
    for step, earlier in zip(todo, [None, *todo], strict=False):
        assert set(step.inputs) <= present | ({earlier.output} if earlier else set())
    # one top module, whose instance of the accelerator has the accelerator's ports
    board, manifest = (made / "board.v").read_text(), load_manifest(design)
    (instance,) = re.findall(r"^  netweave \\?\w+ +\((.*?)\);", board, re.M | re.S)
    assert set(re.findall(r"\.(\w+)\(", instance)) == {port.name for port in manifest.ports}
    settings = json.loads((made / "board.json").read_text())
    assert settings["clock_mhz"] == CLOCK[name]
    assert settings["in_bytes"] == beat_bytes(manifest.input.width)
    assert json.loads((made / "frames.json").read_text()) == [{"frame": [1, 2], "answer": [3]}]


@pytest.mark.parametrize("name", BOARDS)
def test_every_port_has_a_pin(design: Path, tmp_path: Path, name: str) -> None:
    board = BOARDS[name]
    text = (project(design, board, tmp_path / "project") / "board.v").read_text()
    top = re.search(r"^module board\(.*?^endmodule", text, re.M | re.S)
    assert top is not None
    ports = {}
    for high, port in re.findall(r"^  (?:input|output) (?:\[(\d+):0\] )?(\w+);", top[0], re.M):
        ports |= {f"{port}[{n}]" if high else port: None for n in range(int(high or 0) + 1)}
    forms = r'LOCATE COMP "(.*)" SITE "(.*)";|^set_io (?:-pullup yes )?(\S+) (\S+)|^IO_LOC "(.*)" (.*);'
    places = dict(filter(None, pair) for pair in re.findall(forms, pins(board), re.M))
    assert set(places) == set(ports)
    assert len(set(places.values())) == len(places)


def test_a_lone_led_is_no_vector(design: Path, tmp_path: Path) -> None:
    board = dataclasses.replace(BOARDS["ulx3s-25f"], led_pins=("B2",))
    text = (project(design, board, tmp_path / "project") / "board.v").read_text()
    assert "output led;" in text
    assert 'LOCATE COMP "led" SITE "B2";' in pins(board)


def test_the_makefile_holds_the_steps() -> None:
    board = BOARDS["ulx3s-85f"]
    text = makefile(board, 50)
    for step in steps(board, 50):
        assert f"\t$({step.program.upper().replace('-', '_')}) {' '.join(step.arguments)}\n" in text
    assert "program: board.bit\n\topenFPGALoader -b ulx3s board.bit\n" in text


def test_memories_in_luts_are_registers_where_luts_are_no_memory(design: Path, tmp_path: Path) -> None:
    other = tiny(tmp_path / "design", "ecp5-25k")
    assert "distributed" in (other / "netweave.v").read_text()
    assert "distributed" not in (design / "netweave.v").read_text()


def test_what_nextpnr_is_at() -> None:
    told: list[tuple[str, int, int]] = []
    watch = _ProgressMonitor(lambda *step: told.append(step))
    for line in (
        "Info:     at iteration #3, type ALL: wirelen solved = 505, spread = 1796, legal = 2273; time = 0.06s",
        "Info: Routing 1351 arcs.",
        "Info:            |   (re-)routed arcs  |   delta    | remaining|       time spent     |",
        "Info:       1000 |      172        810 |  172   810 |       530|       1.22       1.22|",
    ):
        watch(line)
    assert told == [("placement, round 3", 1, 3), ("routing, arcs", 821, 1351)]


def test_a_report_of_more_than_one_clock_is_refused() -> None:
    assert fmax_of({"fmax": {"$glbnet$clk": {"achieved": 61.5}}}) == 61.5
    with pytest.raises(RoutingError, match="has clocks a, b, where"):
        fmax_of({"fmax": {"a": {"achieved": 1}, "b": {"achieved": 2}}})


def stub_project(folder: Path, board: Board, design: Path) -> Path:
    """A project around an accelerator that adds one."""
    project(design, board, folder)
    (folder / "netweave.v").write_text(STUB)
    text = (folder / "board.v").read_text()
    manifest = load_manifest(design)
    assert (manifest.input.width, manifest.output.width) != (21, 33)
    text = board_verilog(board, clocking(board, CLOCK[board.name]), "netweave", 21, 33)
    (folder / "board.v").write_text(text)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ulx3s-85f", "icebreaker", "tang-primer-20k"])
def test_a_project_is_built(design: Path, tmp_path: Path, name: str) -> None:
    """By netweave, and by its Makefile to the same bitstream."""
    board = BOARDS[name]
    made = stub_project(tmp_path / "project", board, design)
    told: list[str] = []
    built = build(made, board, tmp_path / "logs", lambda what, done, total: told.append(what))
    assert isinstance(built, BuildResult)
    assert built.fmax_mhz >= built.clock_mhz == CLOCK[name]
    assert built.resources.bram == (2 if name == "icebreaker" else 1)
    assert "synthesis" in told
    assert told[-1] == "bitstream"
    again = stub_project(tmp_path / "again", board, design)
    tools = Path(sys.executable).parent
    subprocess.run(["make", "-s"], cwd=again, check=True, capture_output=True, env={"PATH": f"{tools}:/usr/bin:/bin"})
    assert (again / built.bitstream).read_bytes() == (made / built.bitstream).read_bytes()
    assert not (made / NETLIST).exists()


@pytest.mark.slow
def test_a_tiny_network_fits_and_routes_on_an_ice40(design: Path, tmp_path: Path) -> None:
    board = BOARDS["icebreaker"]
    made = project(design, board, tmp_path / "project")
    built = build(made, board, tmp_path / "logs")
    assert (made / "board.bin").stat().st_size > 100_000
    alone = synthesize(design / "netweave.v", board.target.synth, log=tmp_path / "alone.log").resources
    assert built.resources.dsp == alone.dsp
    said = estimate(load(design), Mapping.load(design / MAPPING_FILE), board.target).resources
    assert (said["bram"], said["dsp"]) == (alone.bram, alone.dsp)
    # the link's queue
    assert built.resources.bram == alone.bram + -(-load_manifest(design).input.width // 16)


@pytest.mark.slow
def test_a_clock_that_is_missed_is_told_by_how_much(design: Path, tmp_path: Path) -> None:
    board = BOARDS["icebreaker"]
    made = stub_project(tmp_path / "project", board, design)
    settings = json.loads((made / "board.json").read_text())
    (made / "board.json").write_text(json.dumps(settings | {"clock_mhz": 200.0}))
    with pytest.raises(RoutingError, match=r"routed for [0-9.]+ MHz, below the clock of 200 MHz; a clock_mhz of \d+"):
        build(made, board, tmp_path / "logs")
    assert not (made / "board.bin").exists()


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
    made = stub_project(tmp_path / "project", board, design)
    built = build(made, board, tmp_path / "logs", seeds=3)
    assert (built.seed, built.fmax_mhz, tried) == (2, 24.5, [1, 2])
    assert "--seed 2 " in (made / "Makefile").read_text()
    reached[2] = 23.5
    with pytest.raises(RoutingError, match=r"routed for 23\.5 MHz, below the clock of 24 MHz"):
        build(made, board, tmp_path / "logs", seeds=2)
