"""Cycles against the density of active sites: a sparse design beside its dense version.

The dense version has the same graph and mapping, but its components expect every site: it computes every window of
every frame. ``sweep`` returns the cycles of both, ``crossing`` the density from which the dense version is faster.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cosim.cycle.simulator import simulate, size_queues
from hw.fpga.mapping import Mapping
from models.ir.graph import Graph

DENSITIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class Cycles:
    """The cycles of a frame.

    Parameters
        latency     cycles from first beat in to last token out in an idle accelerator
        interval    cycles between the ends of two such frames, played back to back
    """

    latency: float
    interval: float


@dataclass(frozen=True)
class Sweep:
    """The cycles of a sparse design by density, and of its dense version.

    Parameters
        densities    shares of sites that are active, at random places
        sparse       mean cycles of the sparse design at each density
        dense        cycles of the dense version
    """

    densities: tuple[float, ...]
    sparse: tuple[Cycles, ...]
    dense: Cycles

    def crossing(self, field: str) -> float | None:
        """The density at which the sparse design takes as many cycles as the dense version; None where it never does.

        Parameters
            field    ``latency`` or ``interval``
        """
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
    """A random mask with a share of its sites active, rounded to a whole number of sites.

    Parameters
        rng        random numbers
        height     rows of the frame
        width      columns of the frame
        density    share of active sites, 0 to 1
    Returns        bool ``[height, width]``
    """
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
    """The cycles of a sparse graph on random frames of each density, which are the same in every call.

    Parameters
        graph        the network, with a sparse input
        mapping      its mapping
        densities    shares of active sites
        frames       frames of each density
        progress     called with (densities done, densities in all)
    """
    height, width, _ = graph.input.shape
    rng = np.random.default_rng(0)
    sparse = []
    for number, density in enumerate(densities):
        progress(number, len(densities))
        cycles = [_cycles(graph, mapping, random_mask(rng, height, width, density)) for _ in range(frames)]
        latency, interval = np.mean([(own.latency, own.interval) for own in cycles], axis=0).tolist()
        sparse.append(Cycles(latency, interval))
    version = dense_version(graph)
    whole = _cycles(version, size_queues(version, mapping), np.ones((height, width), dtype=bool))
    return Sweep(tuple(densities), tuple(sparse), whole)


def dense_version(graph: Graph) -> Graph:
    """The same network for frames in which every site is active.

    Parameters
        graph    the network
    """
    return graph.replace(nodes=(dataclasses.replace(graph.input, sparse=False), *graph.nodes[1:]))


def _cycles(graph: Graph, mapping: Mapping, mask: np.ndarray) -> Cycles:
    run = simulate(graph, mapping, [mask] * 3)
    return Cycles(run.first_latency, run.interval)
