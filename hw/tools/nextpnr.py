"""nextpnr: how fast a design runs on an open device, and what it takes there, after placement and routing.

A design has more ports than a package has pins. It is therefore routed inside a module ``framed`` that puts a register
at each port bit. The registers of the inputs are a shift register behind one pin. Those of the outputs are a signature
register, of which one bit drives another pin. So the paths from and to the ports count, as they would between two parts
of a larger design. The clock comes from a pin and uses the device's own clock network, as on a board.
"""

from __future__ import annotations

import json
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.fpga.device import Device, Resources
from hw.tools.programs import run
from hw.tools.toolchains.registry import ROUTABLE, TOOLCHAINS
from hw.tools.toolchains.toolchain import Toolchain
from hw.tools.yosys import SynthesisError, synthesize

CLOCK = "clk"
WRAPPER = "framed"
"""The module that puts a register at each port bit of the design."""

_PORT = re.compile(r"^\s+(input|output) (?:\[(\d+):0\] )?(\w+)\s*;", re.M)
_UTILISATION = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", re.M)
_ERROR = re.compile(r"^ERROR: (.*)", re.M)


class RoutingError(RuntimeError):
    """A design that cannot be routed on the device; the message names file, cause and log."""


@dataclass(frozen=True)
class CriticalPath:
    """The slowest path between two registers, by the names that nextpnr prints.

    Parameters
        start         the cell where it starts
        end           the cell where it ends
        nets          the wires on its way, without those inside a carry chain
        levels        cells of logic on its way
        logic_ns      delay of the logic
        routing_ns    delay of the wires
    """

    start: str
    end: str
    nets: tuple[str, ...]
    levels: int
    logic_ns: float
    routing_ns: float


@dataclass(frozen=True)
class RoutingResult:
    """A design placed and routed, with the registers around it.

    Parameters
        fmax_mhz     the fastest clock over all seeds
        by_seed      the fastest clock of each seed, in MHz
        resources    what the design takes at the best seed, write ports of LUT memories included
        critical     the path that limits ``fmax_mhz``
        seconds      time of synthesis and routing
        log          nextpnr's log at the best seed
    """

    fmax_mhz: float
    by_seed: dict[int, float]
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
    target_mhz: float | None = None,
    seeds: Sequence[int] = (1,),
    top: str = "netweave",
) -> RoutingResult:
    """Synthesize, place and route a design.

    The log of the synthesis goes beside ``log``, with ``.yosys`` before its suffix; that of a seed other than 1 too,
    with the seed before its suffix.

    Parameters
        design      folder of the design, with ``netweave.v``
        device      a device of ``ROUTABLE``
        log         file for nextpnr's log
        progress    called with each line of nextpnr's log
        target_mhz  the clock that nextpnr aims at, which need not be reached; None: the device's own
        seeds       seeds of the placements to try; the fastest result counts
        top         module of the design
    Raises          RoutingError: a device without nextpnr, a design that cannot be synthesized, or does not fit
    """
    if device.name not in ROUTABLE:
        raise RoutingError(f"device {device.name!r} cannot be routed with nextpnr; valid are {', '.join(ROUTABLE)}")
    toolchain = TOOLCHAINS[device.family]
    begin = time.monotonic()
    verilog = design / "netweave.v"
    results: list[tuple[float, Resources, CriticalPath, Path]] = []
    # nextpnr from PyPI sees the folder it runs in, but not the system's /tmp
    with tempfile.TemporaryDirectory(prefix="netweave_nextpnr_") as name:
        scratch = Path(name)
        framed_verilog = scratch / "framed.v"
        text = verilog.read_text()
        framed_verilog.write_text(text + register_wrapper(ports(text, top), top))
        netlist = scratch / "netlist.json"
        try:
            synthesize(
                framed_verilog, device.synth, log=log.with_suffix(f".yosys{log.suffix}"), top=WRAPPER, netlist=netlist
            )
        except SynthesisError as error:
            raise RoutingError(f"{verilog}: {error}") from error
        options = [*toolchain.devices[device.name]]
        if toolchain.bare_pins:
            (scratch / toolchain.pins_file).write_text(toolchain.bare_pins)
        options += ["--freq", f"{target_mhz or device.clock_mhz:g}", "--timing-allow-fail"]
        options += ["--json", "netlist.json", "--report", "report.json"]
        for seed in seeds:
            seed_log = log if seed == 1 else log.with_suffix(f".{seed}{log.suffix}")
            code = run(toolchain.router, [*options, "--seed", str(seed)], scratch, seed_log, progress)
            if code:
                raise RoutingError(f"{verilog} on {device.name}: {failure(seed_log.read_text())}; see {seed_log}")
            report = json.loads((scratch / "report.json").read_text())
            results.append((*parse(report, toolchain, seed_log.read_text()), seed_log))
    fmax, resources, critical, best = max(results, key=lambda result: result[0])
    by_seed = {seed: result[0] for seed, result in zip(seeds, results, strict=True)}
    return RoutingResult(fmax, by_seed, resources, critical, time.monotonic() - begin, best)


def ports(verilog: str, top: str) -> dict[str, tuple[str, int]]:
    """The ports of a module as Amaranth emits it: (direction, bits) by name.

    Parameters
        verilog    the Verilog
        top        name of the module
    Raises         RoutingError: no such module, or one without a clock
    """
    module = re.search(rf"^module {re.escape(top)}\(.*?^endmodule", verilog, re.M | re.S)
    matches = _PORT.findall(module[0]) if module else []
    if CLOCK not in (port for _, _, port in matches):
        raise RoutingError(f"no module {top!r} with a port {CLOCK!r} in the Verilog")
    return {port: (direction, int(high or 0) + 1) for direction, high, port in matches}


def register_wrapper(ports: dict[str, tuple[str, int]], top: str) -> str:
    """Verilog of the module ``framed``: the design with a register at each port bit but the clock.

    Parameters
        ports    the ports of the design, as from ``ports``
        top      module of the design
    """
    wires, declarations = [f".{CLOCK}({CLOCK})"], []
    bits = {"input": 0, "output": 0}
    for port, (direction, width) in ports.items():
        if port == CLOCK:
            continue
        low = bits[direction]
        bits[direction] += width
        wires.append(f".{port}({'given' if direction == 'input' else 'made'}[{bits[direction] - 1}:{low}])")
    input_bits, output_bits = bits["input"], bits["output"]
    declarations += [
        f"reg [{input_bits - 1}:0] given;",
        f"wire [{output_bits - 1}:0] made;",
        f"reg [{output_bits - 1}:0] folded;",
    ]
    lines = [
        f"module {WRAPPER}({CLOCK}, in, out);",
        f"  input {CLOCK}, in;",
        "  output out;",
        *(f"  {line}" for line in declarations),
        f"  assign out = folded[{output_bits - 1}];",
        f"  {top} design({', '.join(wires)});",
        f"  always @(posedge {CLOCK}) begin",
        "    given <= {given, in};",
        f"    folded <= {{folded, folded[{output_bits - 1}]}} ^ made;",
        "  end",
        "endmodule",
    ]
    return "\n".join(["", *lines, ""])


def parse(report: dict[str, Any], toolchain: Toolchain, log: str) -> tuple[float, Resources, CriticalPath]:
    """The fastest clock in MHz, the resources and the critical path of a design that nextpnr routed.

    Parameters
        report    nextpnr's report
        toolchain the family's toolchain
        log       nextpnr's log
    Raises        RoutingError: a report of other than one clock, or without a path between registers
    """
    fmax = fmax_of(report)
    (clock,) = report["fmax"]
    edge = f"posedge {clock}"
    paths = [path["path"] for path in report["critical_paths"] if path["from"] == path["to"] == edge]
    if not paths:
        raise RoutingError(f"nextpnr's report has no path between registers of {clock!r}")
    return fmax, toolchain.resources(report, log), _critical(paths[0])


def fmax_of(report: dict[str, Any]) -> float:
    """The fastest clock in MHz of a design with one clock.

    Parameters
        report    nextpnr's report
    Raises        RoutingError: a report of other than one clock
    """
    clocks = report["fmax"]
    if len(clocks) != 1:
        raise RoutingError(f"nextpnr's report has clocks {', '.join(clocks) or 'none'}, where the design has one")
    return next(iter(clocks.values()))["achieved"]


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
    """Why nextpnr gave up: the resources that the device has too few of, otherwise its first error.

    Parameters
        log    nextpnr's log
    """
    exceeded = [
        f"{used} {cell} of {available}"
        for cell, used, available in _UTILISATION.findall(log)
        if int(used) > int(available)
    ]
    if exceeded:
        return f"does not fit: it needs {', '.join(exceeded)}"
    error = _ERROR.search(log)
    lines = log.strip().splitlines()
    return f"nextpnr failed: {error[1] if error else lines[-1] if lines else 'without a word'}"
