"""nextpnr: how fast a design runs on an ECP5, and what it takes there, after placement and routing.

A design has more ports than a package has pins, so it is routed out of context: without pins, and
between registers, one a port bit, that ``framed`` puts around it. They make the paths from and to the
ports count, as they would between two parts of a larger design. Out of context the clock, reset and
enables go over ordinary wires; nextpnr leaves the clock's skew out of the analysis.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.device import Device, Resources
from hw.targets.programs import run
from hw.targets.yosys import SynthesisError, synthesize

PARTS = {"ecp5-25k": "25k", "ecp5-85k": "85k"}
"""nextpnr's name of a device."""
PACKAGE = "CABGA381"
SPEED = 6
"""The slowest of the speed grades 6, 7 and 8."""
CLOCK = "clk"
FRAME = "framed"
"""The module that holds the design between registers."""

_PORT = re.compile(r"^\s+(input|output) (?:\[(\d+):0\] )?(\w+)\s*;", re.M)
_USED = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", re.M)
_ERROR = re.compile(r"^ERROR: (.*)", re.M)


class RoutingError(RuntimeError):
    """A design that cannot be routed on the device; the message names file, cause and log."""


@dataclass(frozen=True)
class CriticalPath:
    """The slowest path between two registers, by the names nextpnr prints.

    ``start``, ``end``: the cells it leaves and enters. ``nets``: the wires it takes on its way, without
    those inside a carry chain. ``levels``: how many cells of logic it passes. ``logic_ns``, ``routing_ns``:
    their parts in the delay.
    """

    start: str
    end: str
    nets: tuple[str, ...]
    levels: int
    logic_ns: float
    routing_ns: float


@dataclass(frozen=True)
class Routed:
    """A design placed and routed, with the registers around it.

    ``fmax_mhz``: the fastest clock. ``resources``: what it takes, a LUT memory's write port included.
    ``critical``: the path that sets ``fmax_mhz``. ``seconds``: synthesis and routing. ``log``: nextpnr's.
    """

    fmax_mhz: float
    resources: Resources
    critical: CriticalPath
    seconds: float
    log: Path


def route(
    design: Path,
    device: Device,
    log: Path,
    progress: Callable[[str], None] | None = None,
    *,
    goal_mhz: float | None = None,
    top: str = "netweave",
) -> Routed:
    """Synthesize, place and route ``design``/netweave.v; ``progress`` gets each line of nextpnr's log.

    ``goal_mhz``: the clock that is aimed at, the device's own where none is given; missing it is no
    error. The log of the synthesis lies beside ``log``, with ``.yosys`` before its suffix.
    """
    if device.name not in PARTS:
        raise RoutingError(f"device {device.name!r} cannot be routed with nextpnr-ecp5; valid are {', '.join(PARTS)}")
    begin = time.monotonic()
    verilog = design / "netweave.v"
    # nextpnr from PyPI sees the folder it runs in, but not the system's /tmp
    with tempfile.TemporaryDirectory(prefix="netweave_nextpnr_") as name:
        scratch = Path(name)
        framed_verilog = scratch / "framed.v"
        text = verilog.read_text()
        framed_verilog.write_text(text + frame(ports(text, top), top))
        netlist = scratch / "netlist.json"
        try:
            synthesize(
                framed_verilog, device.synth, log=log.with_suffix(f".yosys{log.suffix}"), top=FRAME, netlist=netlist
            )
        except SynthesisError as error:
            raise RoutingError(f"{verilog}: {error}") from error
        options = [f"--{PARTS[device.name]}", "--package", PACKAGE, "--speed", str(SPEED), "--out-of-context"]
        options += ["--freq", f"{goal_mhz or device.clock_mhz:g}", "--timing-allow-fail"]
        files = ["--json", "netlist.json", "--report", "report.json"]
        code = run("nextpnr-ecp5", options + files, scratch, log, progress)
        if code:
            raise RoutingError(f"{verilog} on {device.name}: {failure(log.read_text())}; see {log}")
        report = json.loads((scratch / "report.json").read_text())
    fmax, resources, critical = parse(report)
    return Routed(fmax, resources, critical, time.monotonic() - begin, log)


def ports(verilog: str, top: str) -> dict[str, tuple[str, int]]:
    """(direction, width) of each port of module ``top`` by name, as the emitted Verilog declares them."""
    module = re.search(rf"^module {re.escape(top)}\(.*?^endmodule", verilog, re.M | re.S)
    found = _PORT.findall(module[0]) if module else []
    if CLOCK not in (port for _, _, port in found):
        raise RoutingError(f"no module {top!r} with a port {CLOCK!r} in the Verilog")
    return {port: (direction, int(high or 0) + 1) for direction, high, port in found}


def frame(ports: dict[str, tuple[str, int]], top: str) -> str:
    """Verilog of the module ``framed`` of the same ports, each but the clock through a register."""
    lines = [f"module {FRAME}({', '.join(ports)});", f"  input {CLOCK};"]
    moves, wires = [], [f".{CLOCK}({CLOCK})"]
    for port, (direction, width) in ports.items():
        if port == CLOCK:
            continue
        bits = f"[{width - 1}:0]"
        if direction == "input":
            lines += [f"  input {bits} {port};", f"  reg {bits} inner_{port};"]
            moves.append(f"    inner_{port} <= {port};")
        else:
            lines += [f"  output reg {bits} {port};", f"  wire {bits} inner_{port};"]
            moves.append(f"    {port} <= inner_{port};")
        wires.append(f".{port}(inner_{port})")
    lines += [
        f"  {top} design({', '.join(wires)});",
        f"  always @(posedge {CLOCK}) begin",
        *moves,
        "  end",
        "endmodule",
    ]
    return "\n".join(["", *lines, ""])


def parse(report: dict[str, Any]) -> tuple[float, Resources, CriticalPath]:
    """The fastest clock in MHz, the resources and the critical path of a report of nextpnr."""
    edge = f"posedge {CLOCK}"
    paths = [path["path"] for path in report["critical_paths"] if path["from"] == path["to"] == edge]
    if not paths or CLOCK not in report["fmax"]:
        raise RoutingError(f"nextpnr's report has no path between registers of {CLOCK!r}")
    resources = used({cell: amount["used"] for cell, amount in report["utilization"].items()})
    return report["fmax"][CLOCK]["achieved"], resources, _critical(paths[0])


def used(cells: dict[str, int]) -> Resources:
    """What an ECP5's cells of these types and numbers take of it."""
    return Resources(
        # the write port of a LUT memory takes the slice of two LUTs it lies in
        lut=cells["TRELLIS_COMB"] + 2 * cells["TRELLIS_RAMW"],
        ff=cells["TRELLIS_FF"],
        bram=cells["DP16KD"],
        dsp=cells["MULT18X18D"],
    )


def _critical(steps: list[dict[str, Any]]) -> CriticalPath:
    wires = [step for step in steps if step["type"] == "routing"]
    routing = sum(step["delay"] for step in wires)
    return CriticalPath(
        start=steps[0]["from"]["cell"],
        end=steps[-1]["to"]["cell"],
        nets=tuple(step["net"] for step in wires if step["to"]["port"] != "FCI"),
        levels=sum(step["type"] == "logic" for step in steps),
        logic_ns=round(sum(step["delay"] for step in steps) - routing, 3),
        routing_ns=round(routing, 3),
    )


def failure(log: str) -> str:
    """Why nextpnr gave up: the resources the device has too few of, or else its own first error."""
    short = [f"{used} {cell} of {there}" for cell, used, there in _USED.findall(log) if int(used) > int(there)]
    if short:
        return f"does not fit: it needs {', '.join(short)}"
    error = _ERROR.search(log)
    lines = log.strip().splitlines()
    return f"nextpnr failed: {error[1] if error else lines[-1] if lines else 'without a word'}"
