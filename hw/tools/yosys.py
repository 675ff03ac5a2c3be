"""Yosys: what a design needs on a device, counted after synthesis, and whether it is sound.

``script`` is the one definition of how a design is synthesized: ``synthesize`` runs it with the Yosys that comes from
PyPI, and the generated ``.ys`` files hold it for any other Yosys.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from hw.fpga.device import Resources
from hw.fpga.families.registry import FAMILIES
from hw.tools.programs import program

CELLS: dict[str, Resources] = {"$scopeinfo": Resources()}
"""The resources that each type of Yosys cell takes on its device."""
for _family in FAMILIES.values():
    CELLS |= _family.cells

_WARNING = re.compile(r"(?:^|: )Warning: (.*)")
_LATCH = re.compile(r"Latch inferred for signal .*")
_UNSOUND = re.compile(r"latch|no driver|multiple (conflicting )?drivers|combinational loop|undriven|logic loop", re.I)


class SynthesisError(RuntimeError):
    """Yosys refused the design, found it unsound, or created a cell of unknown cost."""


@dataclass(frozen=True)
class Synthesis:
    """The result of synthesis of a sound design: one without latches, loops, undriven or multiply driven signals.

    Parameters
        resources    what the cells take of the device
        cells        number of cells by type
        warnings     Yosys's other warnings, each once
        seconds      time of the synthesis
    """

    resources: Resources
    cells: dict[str, int]
    warnings: list[str]
    seconds: float


def script(command: str, *, verilog: str, stat: str, top: str, library: str = "") -> str:
    """The Yosys script that reads a design, checks it, synthesizes it and writes its cell counts.

    The check stands before synthesis because synthesis makes undriven signals constant without a warning.

    Parameters
        command    the synthesis command, such as ``synth_ecp5``
        verilog    Verilog files, separated by spaces
        stat       file for the cell counts, as JSON
        top        top module
        library    Yosys's file that declares the device's cells, where the Verilog instantiates some
    """
    synthesis = [f"{command} -top {top}"]
    if command.startswith("synth_ecp5"):
        # where a large design still has all its names, Yosys 0.70 fails an assertion when it reads ABC9's netlist back
        ranges = ("begin:map_luts", "map_luts:")
        first, second = (f"{command} -top {top} -run {part}" for part in ranges)
        synthesis = [first, "opt_clean -purge", second]
    return "\n".join(
        [
            *([f"read_verilog -lib {library}"] if library else []),
            f"read_verilog {verilog}",
            f"hierarchy -check -top {top}",
            "proc",
            "check",
            *synthesis,
            "check",
            f"tee -q -o {stat} stat -json",
            "",
        ]
    )


def synthesize(
    verilog: Path, command: str, *, log: Path, top: str = "netweave", netlist: Path | None = None
) -> Synthesis:
    """Synthesize a Verilog file.

    Parameters
        verilog    the file
        command    the synthesis command, such as ``synth_ecp5``
        log        file for Yosys's log
        top        top module
        netlist    file for the netlist as JSON, for place and route; None: it is not kept
    Raises         SynthesisError: Yosys refused the design, found it unsound, or created a cell of unknown cost
    """
    start = time.monotonic()
    # Yosys from PyPI sees the folder it runs in, but not the system's /tmp
    with tempfile.TemporaryDirectory(prefix="netweave_yosys_") as name:
        scratch = Path(name)
        shutil.copyfile(verilog, scratch / "design.v")
        text = script(command, verilog="design.v", stat="stat.json", top=top)
        if netlist is not None:
            text += "write_json netlist.json\n"
        (scratch / "run.ys").write_text(text)
        warnings = run_script(scratch, "run.ys", log=log, design=str(verilog), command=command)
        cells = read_cells(scratch / "stat.json")
        if netlist is not None:
            shutil.move(scratch / "netlist.json", netlist)
    return Synthesis(count(cells), cells, warnings, time.monotonic() - start)


def run_script(folder: Path, name: str, *, log: Path, design: str, command: str) -> list[str]:
    """Run a Yosys script and return its warnings.

    Parameters
        folder     the folder that it runs in
        name       file name of the script in that folder
        log        file for Yosys's log
        design     what an error calls the design
        command    what an error calls the synthesis
    Raises         SynthesisError: Yosys refused the design or found it unsound
    """
    result = subprocess.run(
        [*program("yosys"), "-q", "-l", "run.log", name], cwd=folder, capture_output=True, text=True, check=False
    )
    run_log = folder / "run.log"
    messages = run_log.read_text(errors="replace") if run_log.exists() else result.stderr
    run_log.unlink(missing_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(messages)
    problems, warnings = sort_messages(messages)
    if problems:
        raise SynthesisError(f"{design} is unsound: {'; '.join(problems)}; see {log}")
    if result.returncode:
        reason = next((line for line in messages.splitlines() if "ERROR" in line), result.stderr.strip()[-500:])
        raise SynthesisError(f"{design}: {command} failed: {reason}; see {log}")
    return warnings


def read_cells(stat: Path) -> dict[str, int]:
    """The number of cells by type.

    Parameters
        stat    the cell counts that a script wrote
    """
    return json.loads(stat.read_text())["design"]["num_cells_by_type"]


def count(cells: dict[str, int]) -> Resources:
    """What cells take of a device.

    Parameters
        cells    number of cells by type
    Raises       SynthesisError: a cell of unknown cost
    """
    unknown = sorted(set(cells) - set(CELLS))
    if unknown:
        raise SynthesisError(f"cells of unknown cost: {', '.join(f'{cells[cell]} {cell}' for cell in unknown)}")
    return sum((CELLS[cell] * number for cell, number in cells.items()), Resources())


def sort_messages(log: str) -> tuple[list[str], list[str]]:
    """The warnings of a Yosys log, each once, in order: (those that make a design unsound, the others).

    Parameters
        log    the text of the log
    """
    occurrences: Counter[str] = Counter()
    for line in log.splitlines():
        match = _WARNING.search(line) or _LATCH.match(line)
        if match:
            occurrences[match[match.re.groups]] += 1
    problems = [text for text in occurrences if _UNSOUND.search(text)]
    return problems, [text for text in occurrences if not _UNSOUND.search(text)]
