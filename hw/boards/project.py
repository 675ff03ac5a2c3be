"""A board's project: all that Yosys, nextpnr and a packer need to make its bitstream, and that a host needs to use it.

::

    netweave.v board.v            the accelerator; what stands around it on the board
    board.lpf | board.pcf         pins and oscillator
    synth.ys Makefile             `make` builds the bitstream without netweave, `make program` loads it
    board.json frames.json        what the serial line carries; frames with the answers to expect
    host.py                       `python host.py /dev/ttyUSB0` sends them

``steps`` is the one definition of the build: the Makefile is made from it, and ``hw.boards.bitstream`` runs it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hw.boards import host
from hw.boards.board import Board
from hw.boards.link import AHEAD, GRANT, beat_bytes
from hw.boards.top import CLOCK, HIGH, LED, RX, TOP, TX, board_verilog, clocking
from hw.generate.emit import VERILOG_FILE
from hw.streams.layout import InputLayout, MaskLayout, TokenLayout
from hw.streams.manifest import load_manifest
from hw.tools.programs import command
from hw.tools.toolchains.toolchain import Package, Step
from hw.tools.yosys import script

BOARD_FILE, FRAMES_FILE = "board.json", "frames.json"
NETLIST, REPORT, STAT = "netlist.json", "report.json", "synthesis.json"


def steps(board: Board, clock_mhz: float, seed: int = 1) -> tuple[Step, ...]:
    """The build of a board's project: synthesis, place and route, bitstream.

    Parameters
        board        the board
        clock_mhz    clock that the routed design must reach
        seed         seed of the placement
    """
    toolchain = board.toolchain
    synthesis = Step("synthesis", "yosys", ("-q", "synth.ys"), (VERILOG_FILE, "board.v", "synth.ys"), NETLIST)
    common = ("--json", NETLIST, "--report", REPORT, "--freq", f"{clock_mhz:g}", "--seed", str(seed))
    own, routed = toolchain.place(Package(board.device, board.package, board.speed))
    options = (*common, *own)
    place = Step("place and route", toolchain.router, options, (NETLIST, toolchain.pins_file), routed)
    return synthesis, place, toolchain.pack(routed)


def line_settings(input_layout: InputLayout, output_layout: TokenLayout, sparse: bool) -> dict[str, Any]:
    """What a host must know of the serial line and of the frames on it, as JSON values.

    Parameters
        input_layout     layout of the input frames
        output_layout    layout of the answers
        sparse           True where the host leaves out sites whose codes are all 0
    """
    return {
        "in_bytes": beat_bytes(input_layout.width),
        "out_bytes": beat_bytes(output_layout.width),
        "ahead": AHEAD,
        "grant": GRANT,
        "input": _stream_settings(input_layout, sparse),
        "output": _stream_settings(output_layout, sparse=False),
    }


def _stream_settings(layout: InputLayout, sparse: bool) -> dict[str, Any]:
    settings = {
        "shape": list(layout.shape),
        "dtype": str(layout.dtype),
        "code_bits": layout.dtype.width,
        "signed": layout.dtype.signed,
        "lanes": layout.lanes,
        "sparse": sparse,
    }
    return {**settings, "bits": layout.bits} if isinstance(layout, MaskLayout) else settings


Case = tuple[list[int], list[int]]
"""The beats of a frame, and of the answer to it."""


def write_project(
    design: Path, board: Board, max_mhz: float, folder: Path, cases: Sequence[Case], sparse: bool
) -> None:
    """Write the project of a design for a board into a new folder.

    Parameters
        design        folder of the design
        board         the board
        max_mhz       the fastest clock to use
        folder        the folder to create
        cases         frames for the host to send, with the answers to compare with
        sparse        True where the host leaves out sites whose codes are all 0
    """
    manifest, clocks = load_manifest(design), clocking(board, max_mhz)
    folder.mkdir(parents=True)
    shutil.copyfile(design / VERILOG_FILE, folder / VERILOG_FILE)
    shutil.copyfile(Path(host.__file__), folder / "host.py")
    toolchain = board.toolchain
    top = board_verilog(board, clocks, manifest.top, manifest.input.width, manifest.output.width)
    (folder / "board.v").write_text(top)
    (folder / toolchain.pins_file).write_text(pins(board))
    text = script(board.target.synth, verilog=f"{VERILOG_FILE} board.v", stat=STAT, top=TOP, library=toolchain.library)
    (folder / "synth.ys").write_text(f"{text}write_json {NETLIST}\n")
    (folder / "Makefile").write_text(makefile(board, float(clocks.clock_mhz)))
    about = {"board": board.name, "clock_mhz": float(clocks.clock_mhz), "baud": board.baud}
    settings = {**about, **line_settings(manifest.input, manifest.output, sparse)}
    (folder / BOARD_FILE).write_text(json.dumps(settings, indent=1) + "\n")
    records = [{"frame": frame, "answer": answer} for frame, answer in cases]
    (folder / FRAMES_FILE).write_text(json.dumps(records) + "\n")


def pins(board: Board) -> str:
    """The constraints file: the pin of each port, its I/O standard, and the frequency of the oscillator.

    Parameters
        board    the board
    """
    places = {CLOCK: board.clock_pin, RX: board.rx_pin, TX: board.tx_pin}
    for name, group in ((LED, board.led_pins), (HIGH, board.high_pins)):
        places |= {f"{name}[{n}]" if len(group) > 1 else name: pin for n, pin in enumerate(group)}
    return board.toolchain.pins(places, RX, CLOCK, board.clock_mhz, board.io_standard)


def makefile(board: Board, clock_mhz: float, seed: int = 1) -> str:
    """The project's Makefile.

    Parameters
        board        the board
        clock_mhz    clock that the routed design must reach
        seed         seed of the placement
    """
    build_steps = steps(board, clock_mhz, seed)
    bitstream = build_steps[-1].output
    variables = {step.program: step.program.upper().replace("-", "_") for step in build_steps}
    lines = [
        f"# The bitstream for {board.title}, clocked at {clock_mhz:g} MHz.",
        "# `make` builds it, `make program` loads it.",
        "# The tools are those of PyPI; `make YOSYS=yosys ...` takes others.",
        *([f"# {board.note}"] if board.note else []),
        "",
        *(f"{variable} ?= {command(program)}" for program, variable in variables.items()),
        "",
        ".PHONY: all program clean",
        f"all: {bitstream}",
        "",
    ]
    for step in build_steps:
        command_line = " ".join((f"$({variables[step.program]})", *step.arguments))
        lines += [f"{step.output}: {' '.join(step.inputs)}", f"\t{command_line}", ""]
    outputs = sorted({step.output for step in build_steps} | {REPORT, STAT})
    lines += [f"program: {bitstream}", f"\t{board.program.format(bitstream=bitstream)}", ""]
    lines += ["clean:", f"\trm -f {' '.join(outputs)}", ""]
    return "\n".join(lines)
