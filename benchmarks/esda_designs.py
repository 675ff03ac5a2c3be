"""Latency of one frame beside ESDA's accelerators: SEE-D, SEE-A and ESDA's four published designs.

Each of ours keeps to the DSP blocks and 18 Kb memories of the published one, on the same ZCU102, of whose LUTs it takes
``LUT``, and is made for frames of the published activity:

- SEE: ``FRAMES`` frames cut from the 3ET+ recordings at hand, each of as many events, so many that the mean share of
  active sites is the published one.
- The four designs: ``DRAWN`` frames drawn to the published density of every resolution, clustered as published
  (``models.data.synthetic_masks``), and the real frame published with the design, which exploration does not see.

Cycles are ``simulated``, resources ``estimated``. Like is set beside like: the cycles of the slowest layer by ESDA's
own model, as published and with expansions that compute all sites of their input, beside those of the slowest op by
ours. ESDA's frames a second come from a clock in Python around start and poll on a board, transfers included, over its
data set as a whole; nothing of ours was measured like that, and no ratio is made of it. 1 / latency of a single frame
at the published clock, which no router has confirmed for ours, is that of the core alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks.esda_model import bottleneck
from benchmarks.inputs.data import DATA
from cosim.cycle.simulator import Simulator
from dse.estimate import estimate
from dse.explore import SearchSettings
from dse.problem import Objective
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping
from models.data.eye_tracking import frames_by_count
from models.data.synthetic_masks import clustered_frames
from models.frontend.esda_designs import load_design
from models.frontend.esda_network import load_esda
from models.ir.activity import with_activity
from models.ir.graph import Graph
from netweave.min_latency_mapping import min_latency_mapping

CLOCK_MHZ = 187.48
DEVICE = DEVICES["zcu102"]
LUT = 0.8
SEARCH = SearchSettings(Objective.LATENCY, budgets=1, gap=0.01, time_limit=300.0, max_evaluations=2500)
FRAMES, SHARE = 100, 0.21
DRAWN = 20
MAPPINGS = Path("runs") / "esda_designs"
SEE = {"SEE-D": (0.59, 1434, 899), "SEE-A": (0.64, 1916, 1113)}
"""Published milliseconds a frame on the accelerator; DSP blocks and 18 Kb memories."""
SEE_MODEL = {"SEE-D": (5_696, 15_133)}
"""Cycles of the slowest layer by ESDA's model, as published, and with expansions of all their input's sites."""
FPS = {"DVS_1890": 1543, "NMNIST": 6510, "ASL_0p5": 1428, "NCal_w0p5": 319}
FEW = 20
"""Frames of each network that are looked at layer by layer."""


def measure() -> dict[str, Any]:
    if not (DATA / "esda_designs").is_dir():
        raise FileNotFoundError(f"{DATA}: no published designs are there; the variable NETWEAVE_DATA names where")
    figures: dict[str, Any] = {}
    for name in ("SEE-D", "NMNIST", "DVS_1890", "ASL_0p5", "NCal_w0p5", "SEE-A"):
        figures[name] = see(name) if name in SEE else published(name)
        print(name, figures[name], flush=True)
    return figures


def see(name: str) -> dict[str, Any]:
    ms, dsp, bram = SEE[name]
    graph, _ = load_esda(DATA / "esda_golden" / f"{name}.json")
    masks = [(grid != 0).any(axis=0) for grid in eye_grids()]
    mapping, solver = explored(graph, masks, dsp, bram)
    model = SEE_MODEL.get(name, (None, None))
    return {
        "published": {"ms a frame, on a board": ms, **by_their_model(*model), "dsp": dsp, "bram18": bram},
        **ours(graph, mapping, solver, masks),
    }


def by_their_model(own: int | None, whole: int | None) -> dict[str, int | None]:
    return {
        "slowest layer by ESDA's model, cycles": own,
        "the same, expansions at their input's resolution": whole,
    }


def eye_grids() -> np.ndarray:
    """The frames cut from 3ET+, int8 ``[FRAMES, 3, 60, 80]``."""
    return frames_by_count(sorted(DATA.glob("3et_plus/*/*/*.h5")), SHARE, FRAMES)


def published(name: str) -> dict[str, Any]:
    (path,) = (DATA / "esda_designs").glob(f"{name}_shift*.json")
    design = load_design(path)
    fps, graph = FPS[design.name], design.graph
    height, width, _ = graph.input.shape
    masks = clustered_frames(np.random.default_rng(0), height, width, design.densities, design.taps, DRAWN)
    mapping, solver = explored(graph, masks, design.dsp, design.bram)
    (real,) = Simulator(graph, mapping).latencies([design.frame.mask])
    document = json.loads(path.read_text(encoding="utf-8"))
    model = by_their_model(design.bottleneck, bottleneck(document, whole=True))
    return {
        "published": {"frames a second, on a board": fps, **model, "dsp": design.dsp, "bram18": design.bram},
        **ours(graph, mapping, solver, masks),
        "real frame": {
            "label": "simulated",
            "active sites": len(design.frame.sites),
            "cycles a frame": real,
            "frames a second at an assumed clock": round(CLOCK_MHZ * 1e6 / real),
        },
    }


def explored(graph: Graph, masks: list[np.ndarray], dsp: int, bram: int) -> tuple[Mapping, dict[str, Any]]:
    """The mapping, and the integer program's report; those of an earlier run where ``MAPPINGS`` has them."""
    folder = MAPPINGS / graph.name.lower()
    if not folder.is_dir():
        device = replace(DEVICE, dsp=dsp, bram=bram, lut=int(LUT * DEVICE.lut))
        made = min_latency_mapping(graph, masks, device, CLOCK_MHZ, SEARCH)
        folder.mkdir(parents=True)
        made.mapping.save(folder / "mapping.json")
        (folder / "solver.json").write_text(json.dumps(asdict(made.design.solver)))
    return Mapping.load(folder / "mapping.json"), json.loads((folder / "solver.json").read_text())


def ours(graph: Graph, mapping: Mapping, solver: dict[str, Any], masks: list[np.ndarray]) -> dict[str, Any]:
    simulator = Simulator(graph, mapping)
    found = simulator.latencies(masks)
    cycles, estimated = mean(found), estimate(with_activity(graph, masks), mapping, DEVICE)
    return {
        "frames": {
            "label": "simulated",
            "frames": len(masks),
            "active sites, mean": round(mean(int(mask.sum()) for mask in masks)),
            "cycles a frame, mean": round(cycles),
            "cycles a frame, median": round(median(found)),
            "cycles a frame, largest": max(found),
            "frames a second at an assumed clock": round(CLOCK_MHZ * 1e6 / cycles),
            f"end after that of the layer before, mean of {FEW}": added(simulator, masks[:: len(masks) // FEW]),
        },
        "design": {
            "label": "estimated",
            **estimated.resources,
            "bottleneck, cycles": estimated.bottleneck,
            "latency, cycles": round(float(estimated.latency)),
            "integer program, before polishing": {
                "status": solver["status"],
                "latency, cycles": round(solver["objective"]),
                "bound": round(solver["bound"]),
                "seconds": round(solver["seconds"], 1),
            },
        },
    }


def added(simulator: Simulator, masks: list[np.ndarray]) -> dict[str, int]:
    """By how many cycles a frame's end leaves each layer after it left the one before, on average; of the input, after
    the frame's first beat came. On the way from the input to the output they add up to the latency.
    """
    graph, totals = simulator.plan.graph, dict.fromkeys((node.name for node in simulator.plan.graph.nodes), 0)
    for mask in masks:
        run = simulator.run([mask])
        ends = {producer: run.edges[f"{producer}__{consumer}_{index}"][0] for producer, consumer, index in graph.edges}
        ends[graph.output] = run.output[-1]
        for node in graph.nodes:
            totals[node.name] += ends[node.name] - max((ends[name] for name in node.inputs), default=run.input[0])
    return {name: round(total / len(masks)) for name, total in totals.items()}
