"""SEE-D, published with its weights and one real frame, as a whole accelerator in RTL.

The design is the integer program's for that frame on a ZCU102 of which it takes no more DSP blocks than the published
accelerator (``DSP``) and, so that its Verilog stays short enough to build in minutes, ``LUT`` LUTs. Every edge of the
RTL is compared with golden, which gives the published arrays exactly. Layer by layer: what the design states, and
when tokens leave in the RTL, counted from the frame's first beat in.

The published accelerator takes 0.59 ms a frame, measured over a test set of 3ET+, transfers included; the published
frame has fewer active sites than most. Frames of the 3ET+ recordings at hand are therefore played as well.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from cosim.cycle import simulate, size_queues
from cosim.design import Cosim, cosim
from dse.candidates import Table
from dse.explore import Design, Search, explore
from dse.problem import Objective
from hw.accelerator import Plan
from hw.device import DEVICES
from hw.emit import generate
from hw.manifest import probe_prefix
from hw.mapping import Mapping
from models.data.eye_tracking import sequences
from models.esda import load_esda
from models.ir.activity import frame_activity, measured
from models.ir.frame import Frame
from models.ir.graph import Graph
from tests.support.data import DATA

NETWORK = DATA / "esda_golden" / "SEE-D.json"
RUN = Path("runs") / "see_d"
CLOCK_MHZ = 187.48
DSP = 1434
LUT = 60_000
MOST_LUT = 0.9
"""Share of the device's LUTs in the design that is only simulated."""
PUBLISHED_MS = 0.59
GAP = 0.05
TIME_LIMIT = 120.0
EYE_FRAMES = 40
"""Frames of 3ET+ in the cycle simulator, and how many of them in RTL."""
EYE_RTL = 3


def measure() -> dict[str, Any]:
    if not NETWORK.is_file():
        raise FileNotFoundError(
            f"{NETWORK}: the published network is not there; the variable NETWEAVE_DATA names where"
        )
    graph, frame = load_esda(NETWORK)
    found = explored(graph, frame, LUT)
    mapping = size_queues(graph, found.mapping, [frame.mask] * 3)
    begin = time.perf_counter()
    generate(graph, mapping, RUN / "design", probes=True)
    generated = time.perf_counter() - begin
    run = cosim(RUN / "design", [frame] * 3, probes=True, build_dir=RUN / "simulators")
    figures: dict[str, Any] = {
        "published": {"ms a frame": PUBLISHED_MS, "cycles a frame": round(PUBLISHED_MS * CLOCK_MHZ * 1000), "dsp": DSP},
        "design": design_figures(graph, frame, found),
        "rtl": rtl_figures(run, frame, generated),
        "simulated": simulated_figures(graph, mapping, frame),
        "layers": layer_figures(graph, mapping, frame, run),
        f"design of {MOST_LUT:.0%} of the LUTs": wide_figures(graph, frame),
    }
    if frames := eye_frames():
        figures["3ET+ frames"] = eye_figures(graph, mapping, frames)
    return figures


def explored(graph: Graph, frame: Frame, lut: int) -> Design:
    """The design of least latency for one frame within ``DSP`` and ``lut``."""
    device = replace(DEVICES["zcu102"], dsp=DSP, lut=lut)
    table = Table({"int8": measured(graph, [frame.mask])}, device)
    search = Search(Objective.LATENCY, sizes=1, gap=GAP, time_limit=TIME_LIMIT)
    return explore(table, search, CLOCK_MHZ)[0]


def design_figures(graph: Graph, frame: Frame, found: Design) -> dict[str, Any]:
    return {
        "label": "estimated",
        "clock, MHz": CLOCK_MHZ,
        **found.evaluation.resources,
        "bottleneck, cycles": found.evaluation.bottleneck,
        "latency, cycles": round(float(found.evaluation.latency)),
        "solver": found.solver.status,
        "gap": round(found.solver.gap, 3),
        "solver seconds": round(found.solver.seconds, 1),
    }


def rtl_figures(run: Cosim, frame: Frame, generated: float) -> dict[str, Any]:
    published = PUBLISHED_MS * CLOCK_MHZ * 1000
    return {
        "label": run.label,
        "check": str(run.check),
        "values compared": run.check.values,
        "active sites": len(frame.sites),
        "cycles a frame": run.first_latency,
        "ms a frame": round(run.first_latency / CLOCK_MHZ / 1000, 4),
        "published / ours": round(published / run.first_latency, 1),
        "interval, cycles": run.interval,
        "generate, seconds": round(generated, 1),
        "build, seconds": round(run.build_seconds, 1),
        "cycles a second": round(run.cycles_per_second),
    }


def simulated_figures(graph: Graph, mapping: Mapping, frame: Frame) -> dict[str, Any]:
    run = simulate(graph, mapping, [frame.mask] * 3)
    return {"label": "simulated", "cycles a frame": run.first_latency, "interval, cycles": run.interval}


def layer_figures(graph: Graph, mapping: Mapping, frame: Frame, run: Cosim) -> dict[str, Any]:
    """Of each layer: folding, cost, and when the first frame's first beat and ``end`` leave it.

    ``added``: by how much its last result comes after that of the layer before it.
    """
    plan, figures, device = Plan(graph, mapping), frame_activity(graph, frame.mask), DEVICES["zcu102"]
    begin = run.streams["i"].first[0]
    streams = {producer: probe_prefix(producer, consumer, index) for producer, consumer, index in graph.edges}
    times = {name: run.streams[prefix] for name, prefix in {**streams, graph.output: "o"}.items()}
    rows: dict[str, Any] = {}
    for name, op in plan.ops.items():
        used = op.resources(device)
        before = max(times[source].end[0] for source in graph[name].inputs)
        rows[name] = {
            "sites": int(figures[name].tokens_out),
            "pe, simd, taps": [op.mapping.pe, op.mapping.simd, op.mapping.taps],
            "multiplier": str(op.mapping.multiplier),
            "steps, stated": op.cycles(figures[name]),
            "first, rtl": times[name].first[0] - begin,
            "end, rtl": times[name].end[0] - begin,
            "added, rtl": times[name].end[0] - before,
            "lut, estimated": used.lut,
            "dsp, estimated": used.dsp,
            "bram, estimated": used.bram,
        }
    return rows


def wide_figures(graph: Graph, frame: Frame) -> dict[str, Any]:
    """The same DSP blocks, and products in LUTs besides."""
    found = explored(graph, frame, int(MOST_LUT * DEVICES["zcu102"].lut))
    mapping = size_queues(graph, found.mapping, [frame.mask] * 3)
    run = simulated_figures(graph, mapping, frame)
    return {**run, "estimated": found.evaluation.resources}


def eye_frames() -> list[np.ndarray]:
    """int8 voxel grids ``[3, 60, 80]`` of the 3ET+ recordings, evenly over all of them."""
    recordings = sorted(DATA.glob("3et_plus/*/*/*.h5"))
    grids = [grid for path in recordings for part in sequences(path) for grid in part.grids]
    return grids[:: max(1, len(grids) // EYE_FRAMES)]


def eye_figures(graph: Graph, mapping: Mapping, grids: list[np.ndarray]) -> dict[str, Any]:
    """The design that was made for the published frame, on other frames."""
    masks = [(grid != 0).any(axis=0) for grid in grids]
    cycles = [simulate(graph, mapping, [mask]).first_latency for mask in masks]
    few = range(0, len(grids), -(-len(grids) // EYE_RTL))
    frames = [Frame.from_dense(grids[n].transpose(1, 2, 0), masks[n]) for n in few]
    run = cosim(RUN / "design", frames, probes=True, build_dir=RUN / "simulators")
    return {
        "label": "simulated",
        "frames": len(masks),
        "active sites, mean": round(mean(int(mask.sum()) for mask in masks)),
        "cycles a frame, mean": round(mean(cycles)),
        "cycles a frame, median": round(median(cycles)),
        "cycles a frame, largest": max(cycles),
        "ms a frame, mean": round(mean(cycles) / CLOCK_MHZ / 1000, 4),
        "published / ours, mean": round(PUBLISHED_MS * CLOCK_MHZ * 1000 / mean(cycles), 2),
        "rtl": str(run.check),
        "rtl, cycles of the first": run.first_latency,
        "simulated, cycles of the first": cycles[0],
    }
