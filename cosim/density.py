"""Cycles against the share of active sites: a sparse design beside its dense version.

The dense version has the same graph and mapping, but components that find no sites: it computes every
window of every frame. ``sweep`` gives both, ``crossing`` the share from which the dense one is faster.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cosim.cycle import simulate, size_queues
from hw.mapping import Mapping
from models.ir.graph import Graph

DENSITIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class Cycles:
    """Of one frame: its latency in an idle accelerator, and the cycles between two such frames in a row."""

    latency: float
    interval: float


@dataclass(frozen=True)
class Sweep:
    """``sparse[n]``: mean cycles of frames with a share ``densities[n]`` of their sites active, evenly scattered."""

    densities: tuple[float, ...]
    sparse: tuple[Cycles, ...]
    dense: Cycles

    def crossing(self, field: str) -> float | None:
        """The share of active sites at which ``field`` of the sparse design reaches the dense one's; None if never."""
        limit = getattr(self.dense, field)
        before = (0.0, 0.0)
        for density, cycles in zip(self.densities, self.sparse, strict=True):
            value = getattr(cycles, field)
            if value > limit:
                share = (limit - before[1]) / (value - before[1])
                return before[0] + share * (density - before[0])
            before = density, value
        return None


def random_mask(rng: np.random.Generator, height: int, width: int, density: float) -> np.ndarray:
    """bool ``[height, width]`` with the share ``density`` of its sites active, to the nearest site."""
    sites = height * width
    mask = np.zeros(sites, dtype=bool)
    mask[rng.permutation(sites)[: round(density * sites)]] = True
    return mask.reshape(height, width)


def sweep(
    graph: Graph,
    mapping: Mapping,
    densities: Sequence[float] = DENSITIES,
    frames: int = 3,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Sweep:
    """Cycles of a sparse ``graph`` on ``frames`` random frames of each density, the same in every call."""
    height, width, _ = graph.input.shape
    rng = np.random.default_rng(0)
    sparse = []
    for number, density in enumerate(densities):
        progress(number, len(densities))
        found = [_cycles(graph, mapping, random_mask(rng, height, width, density)) for _ in range(frames)]
        latency, interval = np.mean([(own.latency, own.interval) for own in found], axis=0).tolist()
        sparse.append(Cycles(latency, interval))
    version = dense_version(graph)
    whole = _cycles(version, size_queues(version, mapping), np.ones((height, width), dtype=bool))
    return Sweep(tuple(densities), tuple(sparse), whole)


def dense_version(graph: Graph) -> Graph:
    """The same network for frames in which every site is active."""
    return graph.replace(nodes=(dataclasses.replace(graph.input, sparse=False), *graph.nodes[1:]))


def _cycles(graph: Graph, mapping: Mapping, mask: np.ndarray) -> Cycles:
    run = simulate(graph, mapping, [mask] * 3)
    return Cycles(run.first_latency, run.interval)
