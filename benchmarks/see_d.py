"""SEE-D, published with its weights and one real frame, as a whole accelerator in RTL.

The design is the fastest for the frames of ``benchmarks.esda_designs``, cut from 3ET+ to the published activity, on a
ZCU102 of which it takes no more DSP blocks and memories than the published accelerator and, so that its Verilog stays
short enough to build in minutes, ``LUT`` LUTs. Every edge of the RTL is compared with golden, which gives the
published arrays exactly. Layer by layer: what the design states, and when tokens leave in the RTL, from the frame's
first beat in.

The published accelerator takes 0.59 ms a frame, measured over a test set of 3ET+, transfers included.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks.esda_designs import CLOCK_MHZ, SEARCH, SEE, eye_grids
from benchmarks.inputs.data import DATA
from cosim.cycle.simulator import simulate
from cosim.rtl.design import Cosim, cosim
from hw.accelerator.composition import AcceleratorPlan
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping
from hw.generate.emit import generate
from hw.streams.manifest import probe_prefix
from models.frontend.esda_network import load_esda
from models.ir.activity import frame_activity
from models.ir.frame import Frame
from models.ir.graph import Graph
from netweave.min_latency_mapping import MinLatency, min_latency_mapping

PUBLISHED_MS, DSP, BRAM = SEE["SEE-D"]
NETWORK = DATA / "esda_golden" / "SEE-D.json"
RUN = Path("runs") / "see_d"
LUT = 70_000
TRIES = 300
EYE_RTL = 3
"""Frames of 3ET+ in RTL."""


def measure() -> dict[str, Any]:
    if not NETWORK.is_file():
        raise FileNotFoundError(
            f"{NETWORK}: the published network is not there; the variable NETWEAVE_DATA names where"
        )
    graph, frame = load_esda(NETWORK)
    grids = eye_grids()
    masks = [(grid != 0).any(axis=0) for grid in grids]
    device = replace(DEVICES["zcu102"], dsp=DSP, bram=BRAM, lut=LUT)
    found = min_latency_mapping(graph, masks, device, CLOCK_MHZ, replace(SEARCH, max_evaluations=TRIES))
    begin = time.perf_counter()
    generate(graph, found.mapping, RUN / "design", probes=True)
    generated = time.perf_counter() - begin
    run = cosim(RUN / "design", [frame] * 3, probes=True, build_dir=RUN / "simulators")
    return {
        "published": {"ms a frame, on a board": PUBLISHED_MS, "dsp": DSP, "bram18": BRAM},
        "design": design_figures(found),
        "published frame": rtl_figures(run, frame, generated),
        "published frame, simulated": simulated_figures(graph, found.mapping, frame),
        "3ET+ frames": eye_figures(found, grids, masks),
        "layers": layer_figures(graph, found.mapping, frame, run),
    }


def design_figures(found: MinLatency) -> dict[str, Any]:
    return {
        "label": "estimated",
        "clock, MHz": CLOCK_MHZ,
        **found.evaluation.resources,
        "bottleneck, cycles": found.evaluation.bottleneck,
        "latency, cycles": round(float(found.evaluation.latency)),
        "solver": found.design.solver.status,
        "gap": round(found.design.solver.gap, 3),
        "solver seconds": round(found.design.solver.seconds, 1),
    }


def rtl_figures(run: Cosim, frame: Frame, generated: float) -> dict[str, Any]:
    return {
        "label": run.label,
        "check": str(run.check),
        "values compared": run.check.values,
        "active sites": len(frame.sites),
        "cycles a frame": run.first_latency,
        "ms a frame at an assumed clock": round(run.first_latency / CLOCK_MHZ / 1000, 4),
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
    plan, figures, device = AcceleratorPlan(graph, mapping), frame_activity(graph, frame.mask), DEVICES["zcu102"]
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


def eye_figures(found: MinLatency, grids: np.ndarray, masks: list[np.ndarray]) -> dict[str, Any]:
    """The frames that the design was made for."""
    few = range(0, len(grids), -(-len(grids) // EYE_RTL))
    frames = [Frame.from_dense(grids[n].transpose(1, 2, 0), masks[n]) for n in few]
    run = cosim(RUN / "design", frames, probes=True, build_dir=RUN / "simulators")
    cycles = found.cycles
    return {
        "label": "simulated",
        "frames": len(masks),
        "active sites, mean": round(mean(int(mask.sum()) for mask in masks)),
        "cycles a frame, mean": round(mean(cycles)),
        "cycles a frame, median": round(median(cycles)),
        "cycles a frame, largest": max(cycles),
        "ms a frame, mean, at an assumed clock": round(mean(cycles) / CLOCK_MHZ / 1000, 4),
        "rtl": str(run.check),
        "rtl, cycles of the first": run.first_latency,
        "simulated, cycles of the first": cycles[few[0]],
    }
