"""FuseSoC's description of a design: a core that others depend on, or that is synthesized by itself.

``fusesoc --cores-root DESIGN run --target lint netweave:accelerator:NAME`` and so on; ``--target synth`` takes the
design out of context through its device's own toolchain.
"""

from __future__ import annotations

import re

from hw.device import Device
from hw.targets.parts import PARTS

CORE_FILE = "netweave.core"


def vlnv(name: str) -> str:
    """The core's name in FuseSoC."""
    return f"netweave:accelerator:{re.sub(r'[^A-Za-z0-9_]', '_', name)}:1.0.0"


def core(name: str, device: Device, verilog: str, axi: str, axi_top: str) -> str:
    """The core file of the design ``name`` in ``verilog``, which ``axi`` puts behind AXI as module ``axi_top``."""
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
