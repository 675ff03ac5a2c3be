"""The estimated latency of one op against its RTL: first beat in to last token out of a frame."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.ops import random_frame
from benchmarks.inputs.sparse_nets import masked_frame
from dse.estimate import estimate
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping, OpMapping
from models.ir.activity import with_activity
from tests.hw.ops.cases import KINDS, WINDOWS, draw_case
from tests.support.ops import check_op


def latencies(kind: str, seed: int, mask: np.ndarray | None) -> tuple[float, int]:
    """(estimated, RTL) of a random op, on a frame with all sites active or with those of ``mask``."""
    case = draw_case(seed, kind, side=8)
    graph = case.graph()
    if mask is not None:
        graph = graph.replace(nodes=(dataclasses.replace(graph.input, sparse=True), *graph.nodes[1:]))
    side = graph.input.shape[:2]
    mask = np.ones(side, dtype=bool) if mask is None else mask[: side[0], : side[1]]
    graph = with_activity(graph, [mask])
    mapping = case.mapping(graph)
    rng = np.random.default_rng(seed)
    frame = random_frame(rng, graph) if mask.all() else masked_frame(rng, graph, mask)
    op, run = check_op(graph, mapping, [frame], limit_cycles=60_000)
    last = [cycle for cycle, payload in run.outputs if not payload & 1][-1] - run.accepted[0][0]
    whole = Mapping("zu3eg", 200.0, {"input": OpMapping(op.in_lanes), "op": mapping})
    return float(estimate(graph, whole, DEVICES["zu3eg"]).latency), last


@pytest.mark.few(8)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("add", "concat")])
@pytest.mark.parametrize("seed", range(4))
def test_latency_of_an_op_is_exact(kind: str, seed: int) -> None:
    estimated, found = latencies(kind, seed + 900, None)
    assert estimated == found


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize("seed", range(3))
def test_an_op_that_finds_its_sites(kind: str, seed: int) -> None:
    estimated, found = latencies(kind, seed + 900, np.ones((16, 16), dtype=bool))
    assert abs(estimated - found) < max(1, 0.02 * found)
    some = np.random.default_rng(seed).random((16, 16)) < 0.3
    some[::3, ::3] = True
    estimated, found = latencies(kind, seed + 900, some)
    # a site whose last place is not active waits until the next token shows, here taken to have come
    assert abs(estimated - found) <= 2
