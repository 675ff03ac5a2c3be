"""Which group of an op's parts each LUT of its synthesized netlist belongs to.

A LUT belongs to the register, memory or block it drives, through other LUTs if need be; where it drives several, to
the one most of its outputs reach. Registers bear the names of the Verilog, flattened, by which they are grouped.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import Any

from hw.tools.yosys import CELLS

GROUPS = (
    (
        r"sums\.(feature|weight|decoded|lanes\d+_weight)|place|weights|read__addr|_\d+_|(value|feature|[abi])\d+$",
        "operands",
    ),
    (r"sums\.(product|lanes\d+_product)", "products"),
    (r"sums\.lane", "adders"),
    (r"sums\.sum|drain\.(sum|value)", "accumulators"),
    (r"sums\.(key|max|running)", "maxima"),
    (r"drain|requantize", "requantizer"),
    (r"frame", "frame_sums"),
    (r"output|o__payload|PORT:o__|source\.(frames|cells)", "queue"),
    (r"sequencer\.(behind|site)|begun|source|RAM|features", "source"),
    (r"sequencer", "sequencer"),
)
"""Patterns of register names, the first that fits; others are ``CONTROL``."""
CONTROL = "control"

_LOGIC = re.compile(r"LUT|INV|CARRY|MUXF|CCU2C|PFUMX|L6MUX|SB_LUT|SB_CARRY")
_MODULE = re.compile(r"module (\S+)\s*\(")
_REGISTER = re.compile(r"(\S+) <= ")
_ASSIGN = re.compile(r"assign (\S+) = (\S+);$")
_INSTANCE = re.compile(r"\\?netweave\.\S+\s+(\S+)\s+\($")
_PORT = re.compile(r"\.(\S+?)\((\S+?)\),?$")


def group_of(register: str) -> str:
    return next((group for pattern, group in GROUPS if re.match(pattern, register)), CONTROL)


def luts_by_group(module: dict[str, Any], verilog: str) -> Counter[str]:
    """LUTs of each group of a flat netlist, the ``module`` of Yosys's JSON, made of ``verilog``."""
    cells = {
        name: cell for name, cell in module["cells"].items() if cell["type"] in CELLS or _LOGIC.match(cell["type"])
    }
    names = _names(module, verilog)
    outputs: dict[str, list[int]] = defaultdict(list)
    sinks: dict[int, list[str]] = defaultdict(list)
    for name, cell in cells.items():
        for port, bits in cell["connections"].items():
            for bit in bits:
                if isinstance(bit, int) and cell["port_directions"][port] == "output":
                    outputs[name].append(bit)
                elif isinstance(bit, int):
                    sinks[bit].append(name)
    for port, info in module["ports"].items():
        if info["direction"] == "output":
            for bit in info["bits"]:
                sinks[bit].append(f"PORT:{port}")
    logic = {name for name, cell in cells.items() if _LOGIC.match(cell["type"])}
    groups: dict[str, str] = {}

    def group(name: str) -> str:
        """Of a cell or an output port."""
        if name not in groups:
            groups[name] = CONTROL
            if name in logic:
                reached = Counter(group(sink) for bit in outputs[name] for sink in sinks[bit])
                groups[name] = reached.most_common(1)[0][0] if reached else CONTROL
            elif name not in cells:
                groups[name] = group_of(name)
            else:
                known = (names[bit] for bit in outputs[name] if bit in names)
                groups[name] = group_of(next(known, cells[name]["type"]))
        return groups[name]

    found: Counter[str] = Counter()
    for name, cell in cells.items():
        if lut := CELLS[cell["type"]].lut:
            found[group(name)] += lut
    return found


def _names(module: dict[str, Any], verilog: str) -> dict[int, str]:
    """The name of the register that drives each bit, where one does."""
    owners = _owners(verilog)
    best: dict[int, tuple[tuple[bool, bool, int], str]] = {}
    for name, info in module["netnames"].items():
        if name.startswith("$"):
            continue
        rank = (name not in owners, "$" in name, len(name))
        for bit in info["bits"]:
            if isinstance(bit, int) and (bit not in best or rank < best[bit][0]):
                best[bit] = (rank, str(owners.get(name, name)))
    return {bit: name for bit, (_, name) in best.items()}


def _owners(verilog: str) -> dict[str, str]:
    """The register behind each flattened name that is only another name of it."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    registers: set[str] = set()
    path, inside = "", ""
    for line in map(str.strip, verilog.splitlines()):
        if match := _MODULE.match(line):
            path = match[1].lstrip("\\").removeprefix("netweave").lstrip(".")
        elif match := _REGISTER.match(line):
            registers.add(_full(path, match[1]))
        elif match := _ASSIGN.match(line):
            parent[root(_full(path, match[1]))] = root(_full(path, match[2]))
        elif match := _INSTANCE.match(line):
            inside = _full(path, match[1])
        elif inside and (match := _PORT.match(line)):
            parent[root(_full(inside, match[1]))] = root(_full(path, match[2]))
        elif line == ");":
            inside = ""
    own = {root(name): name for name in registers}
    return {name: own[root(name)] for name in list(parent) if root(name) in own}


def _full(path: str, name: str) -> str:
    return f"{path}.{name}".lstrip(".").replace("\\", "")
