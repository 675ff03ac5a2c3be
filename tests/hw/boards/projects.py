"""Projects of boards to look into: of a network as small as they come, and of an accelerator that adds one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.inputs.nets import Builder
from dse.candidates import Table
from dse.explore import SearchSettings, budget_fractions, designs
from hw.boards.board import Board
from hw.boards.project import write_project
from hw.boards.top import board_verilog, clocking
from hw.fpga.families.registry import DEVICES
from hw.generate.emit import generate
from hw.streams.manifest import load_manifest
from models.ir.formats.integer import IntType

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


def project(design: Path, board: Board, folder: Path) -> Path:
    write_project(design, board, CLOCK[board.name], folder, [([1, 2], [3])], sparse=False)
    return folder


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
