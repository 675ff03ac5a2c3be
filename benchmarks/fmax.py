"""How fast the demo network and single components run on an ECP5-25F of the slowest grade, routed by nextpnr.

The critical path of each is told by nextpnr's names: where pipelining has to begin. The demo's quantized network is
that of its run folder, made first where it is not there; logs are kept in ``runs/fmax``.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.back import verilog
from amaranth.lib import wiring

from dse.candidates import Table
from dse.explore import Search, explore
from hw.device import DEVICES
from hw.emit import generate
from hw.layout import TokenLayout
from hw.mapping import Memory, Multiplier, OpMapping
from hw.registry import build, inputs_of
from hw.requantizer import Requantizer
from hw.source import WindowGeometry
from hw.sparse_source import SparseWindowSource
from hw.targets.nextpnr import RoutingError, route
from models.ir.dtype import IntType
from models.ir.graph import Shape
from models.ir.serialize import load
from netweave import config as configuration
from netweave import flow
from tests.support.ops import one_op, random_requant

CONFIG = Path(__file__).resolve().parent.parent / "examples" / "digits_dvs.toml"
DEVICE = DEVICES["ecp5-25k"]
GOAL_MHZ = 100.0
KEPT = Path("runs") / "fmax"
INT8, UINT8 = IntType(8), IntType(8, False)
SHAPE = Shape(32, 32, 16)
SHARE = 0.7
"""Of the device, which the demo's design may use."""


def conv(kernel: int, mapping: OpMapping) -> wiring.Component:
    """A submanifold convolution of 16 channels to 16, int8."""
    rng = np.random.default_rng(0)
    graph = one_op(
        rng, "conv", (SHAPE.height, SHAPE.width, SHAPE.channels), out=16, kernel=kernel, padding=kernel // 2,
        x=UINT8, w=INT8, y=UINT8, sparse=True,
    )  # fmt: skip
    return build(graph["op"], inputs_of(graph, graph["op"]), mapping).component()


def sparse_source() -> wiring.Component:
    geometry = WindowGeometry(SHAPE.height, SHAPE.width, 1, kernel=3, stride=1, padding=1)
    return SparseWindowSource(TokenLayout(SHAPE, UINT8, SHAPE.channels), geometry, parallel=False)


def requantizer() -> wiring.Component:
    limits = (-(1 << 19), (1 << 19) - 1)
    requant = random_requant(np.random.default_rng(0), SHAPE.channels, limits, 0, UINT8.max)
    return Requantizer(requant, UINT8, 4, limits)


COMPONENTS: dict[str, Callable[[], wiring.Component]] = {
    "requantizer, 4 lanes": requantizer,
    "sparse source, 3x3, one tap at a time": sparse_source,
    "pointwise conv, pe 4, simd 4, DSP": lambda: conv(1, OpMapping(4, 4, 1, Memory.BRAM, Multiplier.DSP)),
    "conv 3x3 walked, pe 4, simd 4, DSP": lambda: conv(3, OpMapping(4, 4, 1, Memory.BRAM, Multiplier.DSP)),
    "conv 3x3 parallel, pe 1, simd 2, DSP": lambda: conv(3, OpMapping(1, 2, 9, Memory.BRAM, Multiplier.DSP)),
    "conv 3x3 walked, pe 4, simd 4, LUT": lambda: conv(3, OpMapping(4, 4, 1, Memory.LUT, Multiplier.LUT)),
}


def component(name: str, made: wiring.Component) -> Path:
    """A design folder of one component."""
    folder = KEPT / "".join(letter if letter.isalnum() else "_" for letter in name)
    folder.mkdir(parents=True, exist_ok=True)
    text = verilog.convert(made, name="netweave", emit_src=False, strip_internal_attrs=True)
    (folder / "netweave.v").write_text(text)
    return folder


def demo(formats: str) -> Path:
    """The demo's fastest design of a network of its run within ``SHARE`` of the device."""
    config = configuration.load(CONFIG)
    run = Path("runs") / config.name
    flow.train(config, run)
    flow.quantize(config, run)
    table = Table({formats: load(run / "quantize" / formats)}, DEVICE)
    design = explore(table, Search(limit=SHARE, sizes=1, error_shares=()), GOAL_MHZ)[0]
    folder = KEPT / f"demo_{formats}"
    shutil.rmtree(folder, ignore_errors=True)
    generate(table.graph, design.mapping, folder)
    return folder


def figures_of(folder: Path) -> dict[str, Any]:
    try:
        routed = route(folder, DEVICE, KEPT / f"{folder.name}.log", goal_mhz=GOAL_MHZ)
    except RoutingError as error:
        return {"failed": str(error)}
    path = routed.critical
    return {
        "kind": "routed",
        "fmax_mhz": round(routed.fmax_mhz, 1),
        "lut": routed.resources.lut,
        "ff": routed.resources.ff,
        "bram": routed.resources.bram,
        "dsp": routed.resources.dsp,
        "critical_from": path.start,
        "critical_to": path.end,
        "critical_nets": list(path.nets),
        "levels": path.levels,
        "logic_ns": path.logic_ns,
        "routing_ns": path.routing_ns,
        "seconds": round(routed.seconds, 1),
    }


def measure() -> dict[str, Any]:
    figures = {name: figures_of(component(name, make())) for name, make in COMPONENTS.items()}
    return {**figures, **{f"demo network, {formats}": figures_of(demo(formats)) for formats in ("int8", "int4")}}
