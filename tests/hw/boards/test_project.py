"""What a board's project holds: every file that a step reads, a pin for every port, and the steps in its Makefile."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hw.boards.board import BOARDS
from hw.boards.link import beat_bytes
from hw.boards.project import makefile, pins, steps
from hw.streams.manifest import load_manifest
from tests.hw.boards.projects import CLOCK, project, tiny


@pytest.mark.parametrize("name", BOARDS)
def test_every_file_of_a_project_is_there(design: Path, tmp_path: Path, name: str) -> None:
    folder = project(design, BOARDS[name], tmp_path / "project")
    build = steps(BOARDS[name], CLOCK[name])
    present = {path.name for path in folder.iterdir()}
    for step, earlier in zip(build, [None, *build], strict=False):
        assert set(step.inputs) <= present | ({earlier.output} if earlier else set())
    # one top module, whose instance of the accelerator has the accelerator's ports
    board, manifest = (folder / "board.v").read_text(), load_manifest(design)
    (instance,) = re.findall(r"^  netweave \\?\w+ +\((.*?)\);", board, re.M | re.S)
    assert set(re.findall(r"\.(\w+)\(", instance)) == {port.name for port in manifest.ports}
    settings = json.loads((folder / "board.json").read_text())
    assert settings["clock_mhz"] == CLOCK[name]
    assert settings["in_bytes"] == beat_bytes(manifest.input.width)
    assert json.loads((folder / "frames.json").read_text()) == [{"frame": [1, 2], "answer": [3]}]


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
    places = dict([own for own in pair if own] for pair in re.findall(forms, pins(board), re.M))
    assert set(places) == set(ports)
    assert len(set(places.values())) == len(places)


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
