"""Cycles against density, on an op whose cycles follow from its windows."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.inputs.ops import one_op
from cosim.cycle.density import Cycles, Sweep, dense_version, random_mask, sweep
from cosim.cycle.simulator import simulate
from hw.fpga.mapping import Mapping, OpMapping
from hw.line_buffer.token_buffer import SPARSE_SITE_LATENCY
from models.ir.formats.integer import IntType
from models.ir.graph import Graph

MAPPING = Mapping("zu3eg", 200, {"input": OpMapping(), "op": OpMapping(pe=1, simd=1, taps=1)})


@pytest.fixture(scope="module")
def graph() -> Graph:
    x = IntType(4)
    shape = {"kernel": 3, "padding": 1, "x": x, "y": x}
    return one_op(np.random.default_rng(0), "conv", (12, 15, 2), out=4, sparse=True, **shape)


@pytest.mark.parametrize("density", [0.0, 0.01, 0.5, 1.0])
def test_random_masks_have_the_density(density: float) -> None:
    assert random_mask(np.random.default_rng(1), 20, 30, density).sum() == round(600 * density)


def test_sparse_frames_cost_their_taps_and_full_ones_the_stated_overhead(graph: Graph) -> None:
    found = sweep(graph, MAPPING, (0.01, 0.2, 0.5, 1.0))
    intervals = [cycles.interval for cycles in found.sparse]
    assert intervals == sorted(intervals)
    assert intervals[0] < found.dense.interval / 50
    # every site active: nothing is lost between frames; a frame alone is late by the longer way to its first site
    assert found.sparse[-1].interval == found.dense.interval
    assert 0 < found.sparse[-1].latency - found.dense.latency <= SPARSE_SITE_LATENCY
    assert found.crossing("interval") is None
    crossing = found.crossing("latency")
    assert crossing is None or crossing > 0.9


def test_the_dense_version_takes_full_frames(graph: Graph) -> None:
    version = dense_version(graph)
    assert not version.input.sparse
    assert version.nodes[1:] == graph.nodes[1:]
    assert simulate(version, MAPPING).first_latency == sweep(graph, MAPPING, (1.0,)).dense.latency


@pytest.mark.parametrize(
    "limit, share", [(50, 0.05), (100, 0.1), (400, 0.4), (1000, None), (2000, None)], ids=lambda value: str(value)
)
def test_crossing_lies_on_the_line_between_two_densities(limit: float, share: float | None) -> None:
    sparse = tuple(Cycles(1000 * density, 0) for density in (0.1, 0.3, 1.0))
    found = Sweep((0.1, 0.3, 1.0), sparse, Cycles(limit, 1))
    assert found.crossing("latency") == (None if share is None else pytest.approx(share))
    assert found.crossing("interval") is None
