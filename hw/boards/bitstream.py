"""From a board's project to its bitstream, with the clock that it reaches and the resources that it takes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hw.boards.board import Board
from hw.boards.project import BOARD_FILE, NETLIST, REPORT, makefile, steps
from hw.fpga.device import Resources
from hw.tools.nextpnr import RoutingError, failure, fmax_of
from hw.tools.programs import run
from hw.tools.yosys import run_script

Progress = Callable[[str, int, int], None]

_PLACEMENT = re.compile(r"^Info: +at iteration #(\d+)")
_ARCS = re.compile(r"^Info: Routing (\d+) arcs")
_REMAINING = re.compile(r"^Info: +\d+ \|.*\| +(\d+)\| ")


@dataclass(frozen=True)
class BuildResult:
    """A board's bitstream.

    Parameters
        board        name of the board
        clock_mhz    clock of the accelerator on the board
        fmax_mhz     fastest clock of the routed design, at least ``clock_mhz``
        seed         seed of the placement
        resources    all that is used on the board, the serial link included
        bitstream    its file name in the project's folder
        seconds      time of the whole build
    """

    board: str
    clock_mhz: float
    fmax_mhz: float
    seed: int
    resources: Resources
    bitstream: str
    seconds: float


def build(project: Path, board: Board, logs: Path, progress: Progress | None = None, *, seeds: int = 1) -> BuildResult:
    """Run the steps of a project and leave the bitstream in its folder.

    The project's Makefile is rewritten to start from the seed that reached the clock.

    Parameters
        project     folder of the project
        board       the board that the project is for
        logs        folder for the logs of the steps
        progress    called with (what is being done, parts done, parts in all)
        seeds       the most placements to try, each from its own seed, until one reaches the clock
    Raises          SynthesisError: synthesis failed; RoutingError: the design does not fit, misses its clock, or cannot
                    be packed
    """
    begin = time.monotonic()
    clock = json.loads((project / BOARD_FILE).read_text())["clock_mhz"]
    synthesis, route, pack = steps(board, clock)
    notify = progress or (lambda what, done, total: None)
    notify(synthesis.description, 0, 3)
    log_paths = {step: logs / f"{board.name}.{step.program}.log" for step in (synthesis, route, pack)}
    design = str(project)
    run_script(project, "synth.ys", log=log_paths[synthesis], design=design, command=board.target.synth)
    notify(route.description, 1, 3)
    seed, fmax, best, resources = 0, 0.0, 0.0, Resources()
    while fmax < clock and seed < seeds:
        seed += 1
        # a missed clock is found below, where the message can say by how much
        options = (*steps(board, clock, seed)[1].arguments, "--timing-allow-fail")
        code = run(route.program, options, project, log_paths[route], _ProgressMonitor(notify))
        text = log_paths[route].read_text()
        if code:
            raise RoutingError(f"{design} on {board.name}: {failure(text)}; see {log_paths[route]}")
        report = json.loads((project / REPORT).read_text())
        fmax, resources = fmax_of(report), board.toolchain.resources(report, text)
        best = max(best, fmax)
    if fmax < clock:
        raise RoutingError(
            f"{design} on {board.name}: routed for {best:.1f} MHz, below the clock of {clock:g} MHz; a clock_mhz of "
            f"{int(best)} or less for the device, more seeds, or a smaller design, can be built; see {log_paths[route]}"
        )
    (project / "Makefile").write_text(makefile(board, clock, seed))
    notify(pack.description, 2, 3)
    if run(pack.program, pack.arguments, project, log_paths[pack]):
        raise RoutingError(f"{design} on {board.name}: {pack.program} failed; see {log_paths[pack]}")
    for name in (NETLIST, route.output):
        (project / name).unlink()
    return BuildResult(board.name, clock, fmax, seed, resources, pack.output, time.monotonic() - begin)


class _ProgressMonitor:
    """Reports from nextpnr's log what it does, and while it routes, how many of the arcs are done."""

    def __init__(self, report: Progress) -> None:
        self.report, self.arcs = report, 0

    def __call__(self, line: str) -> None:
        if match := _PLACEMENT.match(line):
            self.report(f"placement, round {match[1]}", 1, 3)
        elif match := _ARCS.match(line):
            self.arcs = int(match[1])
        elif self.arcs and (match := _REMAINING.match(line)):
            self.report("routing, arcs", self.arcs - int(match[1]), self.arcs)
