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
from hw.tools.programs import program

_LUT = Resources(lut=1)
_FF = Resources(ff=1)
_BRAM = Resources(bram=1)
_DSP = Resources(dsp=1)
_FREE = Resources()


def _each(cost: Resources, *cells: str) -> dict[str, Resources]:
    return dict.fromkeys(cells, cost)


# A LUT memory costs the LUTs that it occupies. Carry chains and wide multiplexers lie beside the LUTs and cost none,
# except CCU2C, which is two ECP5 LUTs in carry mode. An ECP5 16x4 memory takes three slices of two LUTs: two slices
# hold the bits, the third is the write port.
CELLS: dict[str, Resources] = {
    **_each(_LUT, "LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6", "INV", "SB_LUT4", "SRL16E", "SRLC16E", "SRLC32E"),
    **_each(_LUT, "RAM32X1S", "RAM64X1S"),
    **_each(_LUT * 2, "RAM32X1D", "RAM64X1D", "RAM128X1S", "CCU2C"),
    **_each(_LUT * 4, "RAM32M", "RAM64M", "RAM128X1D", "RAM256X1S"),
    **_each(_LUT * 6, "TRELLIS_DPR16X4"),
    **_each(_LUT * 8, "RAM32M16", "RAM64M8", "RAM256X1D", "RAM512X1S", "RAM32X16DR8", "RAM64X8SW"),
    **_each(_FF, *(f"FD{kind}{edge}" for kind in ("RE", "SE", "CE", "PE") for edge in ("", "_1")), "TRELLIS_FF"),
    **_each(_FF, *(f"SB_DFF{n}{kind}" for n in ("", "N") for kind in ("", "E", "R", "S", "SR", "SS", "ER", "ES"))),
    **_each(_FF, *(f"SB_DFF{n}{kind}" for n in ("", "N") for kind in ("ESR", "ESS"))),
    **_each(_BRAM, "RAMB18E1", "RAMB18E2", "DP16KD", "PDPW16KD"),
    **_each(_BRAM, *(f"SB_RAM40_4K{edge}" for edge in ("", "NR", "NW", "NRNW"))),
    **_each(_BRAM * 2, "RAMB36E1", "RAMB36E2"),
    **_each(_DSP, "DSP48E1", "DSP48E2", "MULT18X18D", "SB_MAC16"),
    **_each(_FREE, "CARRY4", "CARRY8", "MUXF7", "MUXF8", "MUXF9", "PFUMX", "L6MUX21", "SB_CARRY"),
    **_each(_FREE, "BUFG", "BUFGCTRL", "IBUF", "OBUF", "SB_GB", "SB_IO", "VCC", "GND", "VHI", "VLO", "$scopeinfo"),
}

_WARNING = re.compile(r"(?:^|: )Warning: (.*)")
_LATCH = re.compile(r"Latch inferred for signal .*")
_UNSOUND = re.compile(r"latch|no driver|multiple (conflicting )?drivers|combinational loop|undriven|logic loop", re.I)


class SynthesisError(RuntimeError):
    """Yosys refused the design, found it unsound, or made a cell that is not known here."""


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
        halves = ("begin:map_luts", "map_luts:")
        first, second = (f"{command} -top {top} -run {part}" for part in halves)
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
    Raises         SynthesisError: Yosys refused the design, found it unsound, or made a cell of unknown cost
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
    done = subprocess.run(
        [*program("yosys"), "-q", "-l", "run.log", name], cwd=folder, capture_output=True, text=True, check=False
    )
    made = folder / "run.log"
    messages = made.read_text(errors="replace") if made.exists() else done.stderr
    made.unlink(missing_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(messages)
    problems, warnings = sort_messages(messages)
    if problems:
        raise SynthesisError(f"{design} is unsound: {'; '.join(problems)}; see {log}")
    if done.returncode:
        reason = next((line for line in messages.splitlines() if "ERROR" in line), done.stderr.strip()[-500:])
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
    found: Counter[str] = Counter()
    for line in log.splitlines():
        match = _WARNING.search(line) or _LATCH.match(line)
        if match:
            found[match[match.re.groups]] += 1
    return [m for m in found if _UNSOUND.search(m)], [m for m in found if not _UNSOUND.search(m)]
