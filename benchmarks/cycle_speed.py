"""The cycle simulator against Verilator on SEE-D, the same accelerator and frame in one run; and a data set through it.

The accelerator is the one that ``benchmarks.see_d`` leaves built. Verilator is timed by itself, from the frame's first
cycle to its last, with every edge recorded, which tells what the cycle simulator tells, and with input and output.
Times are the best of several calls. 1,000 N-MNIST frames, of the recordings at hand and, where they are fewer, over and
over, go through the zoo's network as one run back to back, and one by one; its weights are random, as no cycle depends
on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.see_d import CLOCK_MHZ, NETWORK, RUN
from cosim.cycle.simulator import Simulator, size_queues
from cosim.rtl.design import cosim
from dse.candidates import Table
from dse.explore import SearchSettings
from dse.explore import best as best_design
from dse.problem import Objective
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping
from models import data
from models.frontend.esda_network import load_esda
from models.ir.activity import with_activity
from models.ir.graph import Graph
from models.quant import quantize
from models.zoo import load_model

FRAMES = 1000
REPEATS = 2000
VERILATOR_REPEATS = 5


def measure() -> dict[str, Any]:
    return {"SEE-D": see_d(), "N-MNIST": n_mnist()}


def see_d() -> dict[str, Any]:
    design = RUN / "design"
    if not design.is_dir():
        raise FileNotFoundError(f"{design}: the design is not there; `python -m benchmarks see_d` makes it")
    graph, frame = load_esda(NETWORK)
    mapping, mask = Mapping.load(design / "mapping.json"), frame.mask
    simulator = Simulator(graph, mapping)
    run = simulator.run([mask])
    alone, many = best(lambda: simulator.run([mask])), best(lambda: simulator.run([mask] * 20), 50) / 20
    figures = {
        "cycles a frame, rtl and simulated": run.first_latency,
        "cycle simulator, ms a frame": round(alone * 1e3, 3),
        "cycle simulator, ms a frame of 20 in a run": round(many * 1e3, 3),
        "prepared once, ms": round(best(lambda: Simulator(graph, mapping), 5) * 1e3, 1),
    }
    for what, probes in (("every edge recorded", True), ("input and output recorded", False)):
        runs = [cosim(design, [frame], probes=probes, build_dir=RUN / "simulators") for _ in range(VERILATOR_REPEATS)]
        if any(rtl.first_latency != run.first_latency for rtl in runs):
            raise AssertionError(f"the RTL takes {runs[0].first_latency} cycles, simulated are {run.first_latency}")
        verilator = run.cycles / max(rtl.cycles_per_second for rtl in runs)
        figures |= {
            f"Verilator, {what}, ms a frame": round(verilator * 1e3, 1),
            f"ratio to Verilator, {what}": round(verilator / alone),
        }
    return figures


def n_mnist() -> dict[str, Any]:
    images = data.load("n_mnist")
    graph = quantize(load_model("n_mnist_net", 0), images, "int8", epochs=0, seed=0).export()
    masks = np.concatenate([images.masks("test"), images.masks("train")])
    masks = list(np.resize(masks, (FRAMES, *masks.shape[1:])))
    mapping = folded(graph, masks[:50])
    simulator = Simulator(graph, mapping)
    begin = time.perf_counter()
    run = simulator.run(masks)
    together = time.perf_counter() - begin
    begin = time.perf_counter()
    alone = simulator.latencies(masks)
    return {
        "frames": len(masks),
        "active sites, mean": round(float(np.mean(masks)), 3),
        "cycles back to back": run.cycles,
        "back to back, seconds": round(together, 2),
        "cycles a frame alone, mean": round(float(np.mean(alone))),
        "one by one, seconds": round(time.perf_counter() - begin, 2),
    }


def folded(graph: Graph, masks: list[np.ndarray]) -> Mapping:
    """The integer program's fastest design on a zu3eg, with the queues that the frames need."""
    table = Table({"int8": with_activity(graph, masks)}, DEVICES["zu3eg"])
    found = best_design(table, SearchSettings(Objective.LATENCY, time_limit=60.0), CLOCK_MHZ)
    return size_queues(graph, found.mapping, masks)


def best(call: Callable[[], object], times: int = REPEATS) -> float:
    """Seconds of the fastest of several calls: what others on the machine take is not the simulator's."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return min(taken)
