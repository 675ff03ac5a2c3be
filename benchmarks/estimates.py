"""How far estimated latencies and intervals are from simulated ones: the integer program's figures, and the forecast's.

Designs are those that the program finds in some shares of a device, of least latency and of least bottleneck, and
random ones of random networks. Of those of least latency also the best near them, as exploration simulates them. Sparse
networks are estimated from the activity of the very frames that are simulated, so that what is left is the model's own
error: 16 recordings of the simulated event camera and of N-MNIST, as many frames of 3ET+. The weights are not trained,
as no cycle depends on them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.esda_designs import eye_grids
from benchmarks.inputs.data import DATA
from benchmarks.inputs.nets import NETS, random_mapping, unrolled_mapping
from benchmarks.inputs.sparse_nets import few_sites, random_masks, random_sparse_net
from cosim.cycle.simulator import Simulator, endless, size_queues
from dse.candidates import Table
from dse.estimate import estimate, forecast, steady
from dse.explore import improve, mapping_of
from dse.milp import solve
from dse.problem import Objective
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping as HwMapping
from models import data
from models.frontend.esda_network import load_esda
from models.ir.activity import with_activity
from models.ir.graph import Graph
from models.quant import quantize
from models.zoo import load_model
from netweave.exploration import EVALUATIONS

FRAMES = 16
"""Of each sparse network, evenly spread."""
SHARES = {
    "digits_dvs": ("zu3eg", (0.1, 0.15, 0.2, 0.3, 0.4, 0.7)),
    "n_mnist": ("zu3eg", (0.2, 0.25, 0.4, 0.6, 0.9)),
    "resnet20": ("zu3eg", (0.35, 0.5, 0.8)),
    "see_d": ("zcu102", (0.2, 0.3, 0.5, 0.8)),
}
"""The device of each network, and the shares of it that designs are found for."""
GAP, TIME_LIMIT = 0.1, 60.0
RANDOM = 50
"""Random networks of each kind, dense and sparse, with a random mapping each."""
SITES = (2, 4, 8, 16)
"""The most active sites of a frame of few cycles."""


@dataclass(frozen=True)
class Errors:
    """Of one design, each figure as a share of the simulated one; positive where it is above."""

    program_latency: float
    forecast_latency: float
    program_interval: float
    forecast_interval: float


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {"label": "estimated and simulated"}
    every: list[Errors] = []
    for name, (graph, masks) in {**published(), **recorded()}.items():
        own = {design: errors(graph, mapping, masks) for design, mapping in designs(name, graph, masks)}
        figures[name] = summary(list(own.values())) | {"designs": {design: listed(of) for design, of in own.items()}}
        every += own.values()
        print(name, figures[name], flush=True)
    for kind, networks in (
        ("random, dense", random_dense()),
        ("random, sparse", random_sparse()),
        ("random, frames of few cycles", few_cycles()),
    ):
        own = [errors(graph, mapping, masks) for graph, mapping, masks in networks]
        figures[kind] = summary(own)
        every += own
        print(kind, figures[kind], flush=True)
    return {"every design": summary(every), **figures}


def recorded() -> dict[str, tuple[Graph, list[np.ndarray]]]:
    """The networks of events that are made from data at hand, with frames of the test split."""
    found = {}
    for name, model, spec in (
        ("digits_dvs", "digits_dvs_net", "digits_dvs"),
        ("n_mnist", "n_mnist_net", f"n_mnist:{DATA / 'n_mnist'}"),
    ):
        images = data.load(spec)
        graph = quantize(load_model(model), images, "int8", epochs=0).export()
        masks = [np.asarray(mask, dtype=bool) for mask in images.sample("test", FRAMES)]
        found[name] = with_activity(graph, masks), masks
    return found


def published() -> dict[str, tuple[Graph, list[np.ndarray]]]:
    """ResNet-20, dense, and SEE-D with frames cut from 3ET+."""
    images = data.load(f"cifar10:{DATA / 'cifar10'}")
    resnet = quantize(load_model("resnet20"), images, "int8", epochs=0).export()
    graph, _ = load_esda(DATA / "esda_golden" / "SEE-D.json")
    grids = eye_grids()
    masks = [(grid != 0).any(axis=0) for grid in grids[:: math.ceil(len(grids) / FRAMES)]]
    return {"resnet20": (resnet, [np.ones((32, 32), dtype=bool)]), "see_d": (with_activity(graph, masks), masks)}


def designs(name: str, graph: Graph, masks: list[np.ndarray]) -> Iterator[tuple[str, HwMapping]]:
    """What the program finds, by share and objective, and of the least latency also what is best near it."""
    device, shares = SHARES[name]
    whole = DEVICES[device]
    table = Table({"int8": graph}, whole)

    def simulated(mapping: HwMapping) -> float:
        return mean(endless(graph, mapping, masks).latencies(masks))

    for share in shares:
        limit = Resources(*(int(share * getattr(whole, kind)) for kind in Resources.names()))
        problem = table.problem(limit)
        for objective in (Objective.LATENCY, Objective.BOTTLENECK):
            found = solve(problem, objective, gap=GAP, time_limit=TIME_LIMIT).selection
            yield f"{share:g} {objective}", mapping_of(table, found, None)
            if objective is Objective.LATENCY:
                near, _ = improve(table, problem, found, simulated, EVALUATIONS * len(problem.ops))
                yield f"{share:g} {objective}, the best simulated", mapping_of(table, near, None)


def random_dense() -> Iterator[tuple[Graph, HwMapping, list[np.ndarray]]]:
    for seed in range(RANDOM):
        rng = np.random.default_rng(seed)
        graph = list(NETS.values())[seed % len(NETS)](rng, ("int8", "int4", "dybit4")[seed % 3])
        height, width, _ = graph.input.shape
        yield graph, random_mapping(rng, graph), [np.ones((height, width), dtype=bool)]


def random_sparse() -> Iterator[tuple[Graph, HwMapping, list[np.ndarray]]]:
    for seed in range(RANDOM):
        rng = np.random.default_rng(seed)
        graph = random_sparse_net(rng, side=20)
        masks = random_masks(rng, graph.input.shape[:2], FRAMES)
        yield with_activity(graph, masks), random_mapping(rng, graph), masks


def few_cycles(designs: int = RANDOM) -> Iterator[tuple[Graph, HwMapping, list[np.ndarray]]]:
    """Sparse networks on small images of few active sites, every other one with all lanes that there are."""
    for seed in range(designs):
        rng = np.random.default_rng(seed)
        graph = random_sparse_net(rng, side=8)
        masks = few_sites(rng, graph.input.shape[:2], FRAMES, SITES[seed // 2 % len(SITES)])
        mapping = unrolled_mapping(graph) if seed % 2 else random_mapping(rng, graph)
        yield with_activity(graph, masks), mapping, masks


def errors(graph: Graph, mapping: HwMapping, masks: list[np.ndarray]) -> Errors:
    mapping = size_queues(graph, mapping, masks * 2)
    simulator, device = Simulator(graph, mapping), DEVICES[mapping.device]
    latency = mean(simulator.latencies(masks))
    interval = simulated_interval(simulator, masks, latency)
    program, finer = estimate(graph, mapping, device), forecast(graph, mapping, masks)
    return Errors(
        program.latency / latency - 1,
        finer.latency / latency - 1,
        program.bottleneck / interval - 1,
        finer.interval / interval - 1,
    )


def simulated_interval(simulator: Simulator, masks: list[np.ndarray], latency: float) -> float:
    """Over as long a stretch of a stream as the forecast's."""

    def over(turns: int) -> float:
        return mean(simulator.run(masks * (2 * turns)).intervals[-turns * len(masks) :])

    return steady(over, len(masks), latency)


def listed(of: Errors) -> Mapping[str, float]:
    return {figure.replace("_", ", "): round(value, 4) for figure, value in vars(of).items()}


def summary(every: list[Errors]) -> dict[str, Any]:
    """Of each figure the errors' median and 95th percentile, without their sign, and the worst on either side."""
    found: dict[str, Any] = {"number of designs": len(every)}
    for figure in vars(every[0]):
        values = np.array([getattr(own, figure) for own in every])
        median, most = np.quantile(abs(values), (0.5, 0.95), method="higher").tolist()
        found[figure.replace("_", ", ")] = {
            "median": round(median, 4),
            "95 %": round(most, 4),
            "lowest": round(float(values.min()), 4),
            "highest": round(float(values.max()), 4),
        }
    return found
