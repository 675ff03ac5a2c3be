"""How fast the standard components and the demo network run on the devices that have an open router, by nextpnr.

Components are of an int8 layer of 16 channels to 16, routed alone on an ECP5 of the slowest grade, and some
on an iCE40 UP5K; the demo's designs, of its own quantized networks within a share of the device, on an ECP5.
Each stands between registers; the clock comes from a pin. An ECP5-85F's fabric is that of a 25F: nothing is routed
there again. The devices of AMD have no open router: nothing is said of their clocks here.

Each critical path is told by nextpnr's names: where pipelining has to begin. The demo's quantized networks are those of
its run folder, made first where they are not there. What was routed stays in ``runs/fmax``, and is not routed again as
long as its Verilog is the same.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.back import verilog
from amaranth.lib import wiring

from benchmarks.inputs.demo import demo as network
from benchmarks.inputs.ops import one_op, random_requant
from dse.candidates import Table
from dse.explore import SearchSettings, best
from hw.arithmetic.requantizer import Requantizer
from hw.fpga.device import Device
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.generate.emit import adapt_ram_style, generate
from hw.line_buffer.sliding_window import SlidingWindow
from hw.line_buffer.sparse_sliding_window import SparseSlidingWindow
from hw.line_buffer.token_buffer import TokenBuffer, WindowGeometry
from hw.ops.registry import build, inputs_of
from hw.streams.layout import TokenLayout
from hw.streams.stream import Fork, Queue
from hw.tools.nextpnr import RoutingError, route
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.window import Window

KEPT = Path("runs") / "fmax"
INT8, UINT8 = IntType(8), IntType(8, False)
SHAPE = Shape(32, 32, 16)
LAYOUT = TokenLayout(SHAPE, UINT8, 4)
WINDOW = WindowGeometry(SHAPE.height, SHAPE.width, SHAPE.channels // LAYOUT.lanes, Window.of(3, 1, 1))

COMPONENT_GOALS = {"ecp5-25k": 150.0, "ice40up5k": 40.0}
"""Devices on which components are routed, and the clocks in MHz that are aimed at."""
ON_ICE40 = (
    "queue of 16", "fork in two", "requantizer, 4 lanes", "source of tokens", "dense source, 3x3, a tap at a time",
    "global pool, pe 4", "add, pe 4",
)  # fmt: skip
DEMO_GOAL = 120.0
DESIGN_GOAL = 100.0
"""The clock that exploration reckons with."""
DEMOS = (("int4", "ecp5-25k", 0.6, (1, 2)), ("int8", "ecp5-25k", 0.6, (1,)))
"""Formats, device, the share of it that the design may use, and the starts of its placement, the fastest of which
counts; of a component there is one.
"""


def op(kind: str, mapping: OpMapping, **window: Any) -> Callable[[], wiring.Component]:
    """An op of 16 channels to 16, int8, on sparse frames where it has a window."""

    def made() -> wiring.Component:
        graph = one_op(
            np.random.default_rng(0), kind, (SHAPE.height, SHAPE.width, SHAPE.channels), out=16, **window,
            x=UINT8, w=UINT8 if kind == "add" else INT8, y=UINT8, sparse=kind != "linear",
        )  # fmt: skip
        return build(graph["op"], inputs_of(graph, graph["op"]), mapping).component()

    return made


def requantizer() -> wiring.Component:
    limits = (-(1 << 19), (1 << 19) - 1)
    requant = random_requant(np.random.default_rng(0), SHAPE.channels, limits, 0, UINT8.max)
    return Requantizer(requant, UINT8, 4, limits)


DSP, LUT = OpMapping(4, 4, 1, Memory.BRAM, Multiplier.DSP), OpMapping(4, 4, 1, Memory.LUT, Multiplier.LUT)
SAME = {"kernel": 3, "padding": 1}

COMPONENTS: dict[str, Callable[[], wiring.Component]] = {
    "queue of 16": lambda: Queue(LAYOUT.struct, 16),
    "fork in two": lambda: Fork(LAYOUT.struct, 2),
    "requantizer, 4 lanes": requantizer,
    "source of tokens": lambda: TokenBuffer(LAYOUT, 16),
    "dense source, 3x3, a tap at a time": lambda: SlidingWindow(LAYOUT, WINDOW, parallel=False),
    "sparse source, 3x3, a tap at a time": lambda: SparseSlidingWindow(LAYOUT, WINDOW, parallel=False),
    "pointwise conv, pe 4, simd 4": op("conv", DSP),
    "pointwise conv, pe 4, simd 4, products in LUTs": op("conv", LUT),
    "depthwise conv 3x3, pe 4": op("conv", DSP, groups=SHAPE.channels, **SAME),
    "conv 3x3, a tap at a time, pe 4, simd 4": op("conv", DSP, **SAME),
    "conv 3x3, all taps, pe 1, simd 2": op("conv", OpMapping(1, 2, 9, Memory.BRAM, Multiplier.DSP), **SAME),
    "max pool 2x2, pe 4": op("max_pool", OpMapping(4, 4, 1), kernel=2, stride=2),
    "global pool, pe 4": op("global_pool", OpMapping(4, 4)),
    "add, pe 4": op("add", OpMapping(4, 4)),
}


def component(name: str, make: Callable[[], wiring.Component], device: Device, kept: Path = KEPT) -> Path:
    """A design folder of one component for a device."""
    folder = kept / device.name / "".join(letter if letter.isalnum() else "_" for letter in name)
    folder.mkdir(parents=True, exist_ok=True)
    text = verilog.convert(make(), name="netweave", emit_src=False, strip_internal_attrs=True)
    (folder / "netweave.v").write_text(adapt_ram_style(text, device))
    return folder


def demo(formats: str, device: Device, share: float) -> Path:
    """The demo's fastest design of a network of its run, within a share of the device."""
    table = Table({formats: network(formats)}, device)
    design = best(table, SearchSettings(limit=share), DESIGN_GOAL)
    folder = KEPT / f"demo_{formats}_{100 * share:.0f}_{device.name}"
    made = folder.with_name(f"{folder.name}.made")
    shutil.rmtree(made, ignore_errors=True)
    generate(table.graph, design.mapping, made)
    folder.mkdir(parents=True, exist_ok=True)
    for file in made.iterdir():
        file.replace(folder / file.name)
    made.rmdir()
    return folder


def routed(folder: Path, device: Device, goal_mhz: float, seeds: tuple[int, ...] = (1,)) -> dict[str, Any]:
    """The figures of a design on a device; placements that are kept in its folder are not made again."""
    text = (folder / "netweave.v").read_bytes()
    made_of = hashlib.sha256(text + repr((device, goal_mhz)).encode()).hexdigest()
    kept = folder / f"{device.name}.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    best = known["figures"] if known.get("made_of") == made_of else {"fmax_mhz": 0.0, "by_seed": {}}
    if wanted := [seed for seed in seeds if str(seed) not in best["by_seed"]]:
        new = figures_of(folder, device, goal_mhz, wanted)
        by_seed = best["by_seed"] | new["by_seed"]
        best = {**max(new, best, key=lambda one: one["fmax_mhz"]), "by_seed": by_seed}
        kept.write_text(json.dumps({"made_of": made_of, "figures": best}))
    return best


def figures_of(folder: Path, device: Device, goal_mhz: float, seeds: list[int]) -> dict[str, Any]:
    try:
        made = route(folder, device, folder / f"{device.name}.log", target_mhz=goal_mhz, seeds=seeds)
    except RoutingError as error:
        # the paths in it say nothing elsewhere
        why = str(error).partition(": ")[2].partition("; see")[0]
        return {"failed": why, "fmax_mhz": 0.0, "by_seed": {str(seed): 0.0 for seed in seeds}}
    path = made.critical
    return {
        "kind": "routed",
        "fmax_mhz": round(made.fmax_mhz, 1),
        "by_seed": {str(seed): round(mhz, 1) for seed, mhz in made.by_seed.items()},
        "lut": made.resources.lut,
        "ff": made.resources.ff,
        "bram": made.resources.bram,
        "dsp": made.resources.dsp,
        "critical_from": path.start,
        "critical_to": path.end,
        "critical_nets": list(path.nets),
        "levels": path.levels,
        "logic_ns": path.logic_ns,
        "routing_ns": path.routing_ns,
        "seconds": round(made.seconds, 1),
    }


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for formats, name, share, seeds in DEMOS:
        device = DEVICES[name]
        title = f"demo network, {formats}, in {share:.0%} of {name}"
        figures[title] = routed(demo(formats, device, share), device, DEMO_GOAL, seeds)
    for title, make in COMPONENTS.items():
        for name, goal in COMPONENT_GOALS.items():
            if name == "ice40up5k" and title not in ON_ICE40:
                continue
            device = DEVICES[name]
            figures[f"{title}, {name}"] = routed(component(title, make, device), device, goal)
    return figures
