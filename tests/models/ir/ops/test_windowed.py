"""Nodes with a window: which windows are refused, and when the output's tokens leave."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.graph import Graph
from models.ir.node import GraphError, NodeSites, Shape
from models.ir.ops.input import Input
from models.ir.ops.windowed import WindowNode
from models.ir.sites import walk
from tests.models.ir.builders import UINT8, conv, single
from tests.models.ir.by_hand import active_by_hand


def test_a_window_larger_than_its_padded_input_is_refused() -> None:
    node = conv(np.random.default_rng(0), 1, 1, 7, padding=1)
    with pytest.raises(GraphError, match="node 'conv', field 'kernel': 7 is larger than its padded input 4x9x1"):
        Graph("g", (Input(name="input", dtype=UINT8, shape=Shape(4, 9, 1)), node), "conv")
    fits = Graph("g", (Input(name="input", dtype=UINT8, shape=Shape(5, 9, 1)), node), "conv")
    assert fits.shapes["conv"] == (1, 5, 1)


def node_of(kernel: int, stride: int = 1, padding: int = 0) -> WindowNode:
    return conv(np.random.default_rng(0), 1, 1, kernel, stride=stride, padding=padding)


@pytest.mark.parametrize("kernel, stride, padding", [(1, 1, 0), (1, 2, 0), (2, 2, 0), (3, 1, 1), (3, 2, 0), (5, 2, 2)])
@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_sites_and_their_taps_are_those_of_plain_loops(kernel: int, stride: int, padding: int, share: float) -> None:
    node = node_of(kernel, stride, padding)
    mask = np.random.default_rng(1).random((7, 6)) < share
    own = walk(single(node, Shape(7, 6, 1), UINT8), mask)["conv"]
    active = active_by_hand(node, mask)
    assert own.sites.tolist() == np.argwhere(active).tolist()
    padded = np.pad(mask, 2 * kernel)
    for (y, x), taps in zip(own.sites.tolist(), own.taps.tolist(), strict=True):
        top, left = stride * y - padding + 2 * kernel, stride * x - padding + 2 * kernel
        assert taps == padded[top : top + kernel, left : left + kernel].sum()


@pytest.mark.parametrize("seed", range(20))
def test_a_site_leaves_when_it_is_complete_and_the_ones_before_it_are_done(seed: int) -> None:
    """An op serves one site after the other, a tap at a time; a whole frame of taps takes one unit of time."""
    rng = np.random.default_rng(seed)
    arrivals = np.cumsum(rng.random(rng.integers(1, 9)))
    needs = np.sort(rng.integers(1, len(arrivals) + 2, rng.integers(1, 9)))
    taps = rng.integers(0, 10, len(needs))
    own = NodeSites(arrivals, np.zeros((len(needs), 2)), taps, needs, np.ones(len(needs), bool))
    work = [max(1, count) / sum(max(1, count) for count in taps) for count in taps]
    expected, done = [], 0.0
    for need, cost in zip(needs.tolist(), work, strict=True):
        complete = arrivals[-1] if need > len(arrivals) else arrivals[need - 1]
        done = max(done, complete) + cost
        expected.append(done)
    assert node_of(3).departures(arrivals, own) == pytest.approx(expected)
