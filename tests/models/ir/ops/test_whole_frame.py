"""Nodes that make one site of a whole frame: when it comes, and that it is always there."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.frame import Frame
from models.ir.node import Node, Shape
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.linear import Linear
from models.ir.requant import Requant
from models.ir.sites import reference_times, walk
from tests.models.ir.builders import INT8, UINT8, every_op, single


def test_what_sums_whole_frames_is_dense_again() -> None:
    sparse = every_op(np.random.default_rng(0)).sparse
    assert {name for name, value in sparse.items() if not value} == {"global_pool", "fc"}


RULE = Requant.identity(1, 0, 255)
NODES: list[Node] = [
    GlobalPool(name="op", inputs=(), dtype=UINT8, requant=RULE),
    Linear(name="op", inputs=(), dtype=UINT8, weight=np.ones((1, 3, 4, 1), int), weight_dtype=INT8, requant=RULE),
]


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.op)
@pytest.mark.parametrize("active", [[], [5], [0, 5, 11]])
def test_the_one_site_leaves_with_the_last_token(node: Node, active: list[int]) -> None:
    """Tokens come evenly over a frame, which takes one unit of time; an empty frame has ended when it begins."""
    mask = np.isin(np.arange(12), active).reshape(3, 4)
    graph = single(node, Shape(3, 4, 1), UINT8)
    sites = walk(graph, mask)
    assert sites["op"].source.tolist() == np.argwhere(mask).tolist()
    assert sites["op"].sites.tolist() == [[0, 0]]
    times = reference_times(graph, sites)
    assert times["input"].tolist() == [(n + 1) / len(active) for n in range(len(active))]
    assert times["op"].tolist() == [1.0 if active else 0.0]


def test_no_other_token_costs_anything() -> None:
    """Whatever the tokens before cost, the work of a frame is that of its one site."""
    frame = Frame.from_dense(np.zeros((3, 4, 1), np.int64))
    for node in NODES:
        own = node.sites(frame, sparse=True)
        assert node.work(own, np.full(12, 7.0)).tolist() == [1.0]
