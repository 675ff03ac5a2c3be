"""A project for Vivado: synthesis out of context, an IP core, and a block design around it.

Netweave writes the project; it does not run Vivado::

    netweave.v netweave_axi.v          the accelerator, and the same behind AXI
    settings.tcl                       part, clock and widths: all that the scripts read
    synth.tcl                          out of context: utilisation and timing
    package.tcl                        the IP core, in ip/
    design.tcl design_*.tcl            processor, DMA engine and accelerator, to netweave.bit and netweave.hwh
    manifest.json netweave_driver.py   for Python on the board
    Makefile

The scripts are copied from ``vivado_tcl`` unchanged. A part without a processor gets no block design.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from hw.fpga.device import Device
from hw.generate.emit import AXI_FILE, AXI_TOP, DRIVER_FILE, VERILOG_FILE
from hw.generate.parts import PARTS, Part
from hw.streams.manifest import MANIFEST_FILE, Manifest, load_manifest

SCRIPTS = Path(__file__).with_name("vivado_tcl")


def write_project(design: Path, device: Device, folder: Path) -> None:
    """Write the Vivado project of a design into a new folder.

    Parameters
        design    folder of the design
        device    a device of ``hw.generate.parts``
        folder    the folder to create
    """
    part, manifest = PARTS[device.name], load_manifest(design)
    folder.mkdir(parents=True)
    for name in (VERILOG_FILE, AXI_FILE, DRIVER_FILE, MANIFEST_FILE):
        shutil.copyfile(design / name, folder / name)
    for name in ("synth.tcl", "package.tcl"):
        shutil.copyfile(SCRIPTS / name, folder / name)
    if part.processor is not None:
        shutil.copyfile(SCRIPTS / part.processor, folder / "design.tcl")
        for name in ("design_begin.tcl", "design_common.tcl"):
            shutil.copyfile(SCRIPTS / name, folder / name)
    (folder / "settings.tcl").write_text(settings(part, manifest))
    (folder / "Makefile").write_text(_makefile(part))


def settings(part: Part, manifest: Manifest) -> str:
    """The Tcl variables that the scripts read.

    Parameters
        part        the AMD part
        manifest    the design's manifest
    """
    bits = {way: 8 * manifest.axi[stream]["bytes"] for way, stream in (("in", "input"), ("out", "output"))}
    values = {
        "part": part.name,
        "family": part.family,
        "board_parts": part.board,
        "network": manifest.name,
        "top": AXI_TOP,
        "sources": f"{VERILOG_FILE} {AXI_FILE}",
        "clock_mhz": f"{manifest.clock_mhz:g}",
        "period_ns": f"{1000 / manifest.clock_mhz:.3f}",
        **{f"{way}_bits": str(width) for way, width in bits.items()},
        # a DMA engine's port to memory has 32 bits or more
        **{f"{way}_memory_bits": str(max(32, width)) for way, width in bits.items()},
    }
    return "".join(f"set {name} {{{value}}}\n" for name, value in values.items())


def _makefile(part: Part) -> str:
    targets = [
        ("synth", "synth.tcl", "", "utilisation and timing out of context"),
        ("ip", "package.tcl", "", "the IP core"),
    ]
    if part.processor is not None:
        targets.append(("bitstream", "design.tcl", " ip", "netweave.bit and netweave.hwh, for PYNQ"))
    lines = [*(f"# make {target:<10} {about}" for target, _, _, about in targets), "", "VIVADO ?= vivado", ""]
    lines += [f".PHONY: {' '.join(target for target, *_ in targets if target != 'ip')}", ""]
    for target, tcl_script, prerequisites, _ in targets:
        lines += [f"{target}:{prerequisites}", f"\t$(VIVADO) -mode batch -nojournal -source {tcl_script}", ""]
    return "\n".join(lines)
