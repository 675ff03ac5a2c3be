"""What Yosys made of ops and accelerators, kept: nothing is synthesized twice."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from amaranth.back import verilog
from amaranth.lib import wiring

from benchmarks.resources.netlist import luts_by_group
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.tools.yosys import script, synthesize

DEVICE = {"xcup": "zu3eg", "ecp5": "ecp5-85k"}
"""The device that stands for each family."""
KEPT = Path(__file__).resolve().parent / "made"
"""A file for each family: by a digest of script and Verilog what came of it."""


@dataclass(frozen=True)
class Made:
    """``groups``: LUTs by the groups of ``benchmarks.resources.netlist``."""

    resources: Resources
    groups: dict[str, int]


class Syntheses:
    """Those of a family. Another process may add to the same file: what it holds is read again before it is written."""

    def __init__(self, family: str) -> None:
        self.device, self.path = DEVICES[DEVICE[family]], KEPT / f"{family}.json"
        self.known = self._read()

    def made(self, component: wiring.Component) -> Made:
        text = verilog.convert(component, name="netweave", emit_src=False, strip_internal_attrs=True)
        command = script(self.device.synth, verilog="design.v", stat="stat.json", top="netweave")
        digest = hashlib.sha256(f"{command}\n{text}".encode()).hexdigest()[:20]
        if digest not in self.known:
            made = self._synthesize(text)
            entry = {**asdict(made.resources), "groups": dict(sorted(made.groups.items()))}
            self.known = self._read() | {digest: entry}
            lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(self.known.items()))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        entry = self.known[digest]
        return Made(Resources(*(entry[kind] for kind in Resources.names())), entry["groups"])

    def _synthesize(self, text: str) -> Made:
        with tempfile.TemporaryDirectory(prefix="netweave_made_") as name:
            folder = Path(name)
            source, netlist = folder / "design.v", folder / "netlist.json"
            source.write_text(text)
            found = synthesize(source, self.device.synth, log=folder / "yosys.log", netlist=netlist)
            module = json.loads(netlist.read_text())["modules"]["netweave"]
        return Made(found.resources, dict(luts_by_group(module, text)))

    def _read(self) -> dict[str, dict]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}
