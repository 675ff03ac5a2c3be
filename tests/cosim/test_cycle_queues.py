"""Queues before adds: no frame makes a residual network hang, and the frames they are sized for are not held back."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cosim.cycle import DeadlockError, simulate, size_queues
from hw.accelerator import Plan
from hw.mapping import Mapping
from hw.queue_bounds import least_queue
from models.ir.dtype import IntType
from models.ir.graph import Add, Graph
from tests.support.nets import Builder, random_mapping
from tests.support.sparse_nets import FORMAT, random_masks, random_sparse_net


def with_least_queues(graph: Graph, mapping: Mapping) -> Mapping:
    plan = Plan(graph, mapping)
    edges = [(a, b) for a, b, _ in graph.edges if isinstance(graph[b], Add)]
    depths = {f"{a}->{b}": least_queue(graph, a, b, plan.layout(a).beats_per_token) for a, b in edges}
    return dataclasses.replace(mapping, queues=depths)


def play(seed: int, frames: int, part: float = 1.0) -> None:
    """Random frames back to back through a network of random shape, its queues ``part`` of the least depth."""
    rng = np.random.default_rng(seed)
    graph = random_sparse_net(rng, side=6 if seed % 3 == 0 else 12)
    mapping = with_least_queues(graph, random_mapping(rng, graph))
    depths = {edge: max(2, int(part * depth)) for edge, depth in mapping.queues.items()}
    mapping = dataclasses.replace(mapping, queues=depths)
    run = simulate(graph, mapping, random_masks(rng, graph.input.shape[:2], frames))
    assert len(run.latency) == frames


@pytest.mark.parametrize("seed", range(20))
def test_no_frame_makes_a_network_hang(seed: int) -> None:
    play(seed, 20)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 600))
def test_ten_thousand_frames(seed: int) -> None:
    play(seed, 20)


def test_a_tenth_less_makes_some_hang() -> None:
    hung = 0
    for seed in range(20):
        try:
            play(seed, 20, part=0.9)
        except DeadlockError:
            hung += 1
    assert hung > 4


def narrow_net() -> tuple[Graph, Mapping]:
    """Four 3 x 3 windows against a straight way, three columns wide."""
    rng = np.random.default_rng(0)
    net = Builder(rng, (12, 3, 1), IntType(8, signed=False), sparse=True)
    start = net.conv(1, 1, FORMAT)
    for _ in range(4):
        net.conv(1, 3, FORMAT)
    net.add(net.last, start, FORMAT)
    graph = Graph("net", tuple(net.nodes), net.last)
    return graph, with_least_queues(graph, random_mapping(rng, graph))


def test_in_a_narrow_image_the_full_frame_is_not_the_worst() -> None:
    """Rows of three sites: each window that misses its last place waits for a token of the row after."""
    graph, mapping = narrow_net()
    worst = np.ones((12, 3), dtype=bool)
    for stage in range(4):
        # what ends the window of the last site that was found is missing: the next one lies a row further down
        worst[2 * stage + 1, 1:] = False
    straight = next(edge for edge in mapping.queues if edge.startswith("conv1->"))
    hangs = {}
    for what, frame in (("full", np.ones((12, 3), dtype=bool)), ("worst", worst)):
        depth = mapping.queues[straight]
        while depth > 2:
            shorter = dataclasses.replace(mapping, queues={**mapping.queues, straight: depth - 1})
            try:
                simulate(graph, shorter, [frame])
            except DeadlockError:
                break
            depth -= 1
        hangs[what] = depth
    assert hangs["full"] < hangs["worst"] <= mapping.queues[straight]
    simulate(graph, mapping, [worst])


@pytest.mark.parametrize("seed", range(5))
def test_sized_queues_hold_no_beat_of_the_given_frames_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_sparse_net(rng)
    masks = random_masks(rng, graph.input.shape[:2], 6)
    given = random_mapping(rng, graph)
    least, sized = with_least_queues(graph, given), size_queues(graph, given, masks)
    assert all(sized.queues[edge] >= depth for edge, depth in least.queues.items())
    run = simulate(graph, sized, masks)
    assert all(held <= sized.queues[edge] for edge, held in run.queues.items())
    blocks = [edge for edge, depth in sized.queues.items() if depth > 64]
    roomy = {edge: depth if edge in blocks else depth * 2 for edge, depth in sized.queues.items()}
    more = simulate(graph, dataclasses.replace(sized, queues=roomy), masks)
    assert (more.latency, more.intervals) == (run.latency, run.intervals)
