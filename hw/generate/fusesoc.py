"""FuseSoC's description of a design: a core that others depend on, or that is synthesized by itself.

``fusesoc --cores-root DESIGN run --target lint netweave:accelerator:NAME`` checks it with Verilator; ``--target synth``
synthesizes it out of context for an AMD device.
"""

from __future__ import annotations

import re

from hw.fpga.device import Device
from hw.generate.parts import PARTS

CORE_FILE = "netweave.core"


def vlnv(name: str) -> str:
    """The core's name in FuseSoC: vendor, library, name, version.

    Parameters
        name    name of the design; what FuseSoC does not allow in it becomes ``_``
    """
    return f"netweave:accelerator:{re.sub(r'[^A-Za-z0-9_]', '_', name)}:1.0.0"


def core(name: str, device: Device, verilog: str, axi: str, axi_top: str) -> str:
    """The text of a design's core file.

    It has a target ``synth`` only for a device that Vivado synthesizes for.

    Parameters
        name       name of the design
        device     the device that it is for
        verilog    file of the accelerator
        axi        file that puts the accelerator behind AXI
        axi_top    module in that file
    """
    part = PARTS.get(device.name)
    synth = [] if part is None else [
        "  synth:",
        f"    description: Synthesis out of context for {device.title}",
        "    filesets: [rtl]",
        f"    toplevel: {axi_top}",
        "    default_tool: vivado",
        "    tools:",
        "      vivado:",
        f"        part: {part.name}",
        "        pnr: none",
    ]  # fmt: skip
    return "\n".join(
        [
            "CAPI=2:",
            f"name: {vlnv(name)}",
            f"description: The network {name} as a dataflow accelerator, by itself and behind AXI",
            "filesets:",
            "  rtl:",
            f"    files: [{verilog}, {axi}]",
            "    file_type: verilogSource",
            "targets:",
            "  default:",
            "    filesets: [rtl]",
            f"    toplevel: {axi_top}",
            "  lint:",
            "    description: What Verilator says of it",
            "    filesets: [rtl]",
            f"    toplevel: {axi_top}",
            "    default_tool: verilator",
            "    tools:",
            "      verilator:",
            "        mode: lint-only",
            "        verilator_options: [-Wno-fatal]",
            *synth,
            "",
        ]
    )
