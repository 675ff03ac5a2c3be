"""The time of every token that leaves an accelerator, against the cycle simulator, which has one for every beat."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.nets import NETS, random_mapping, residual_net
from benchmarks.inputs.sparse_nets import random_masks, random_sparse_net
from cosim.cycle import DeadlockError, Simulator, size_queues
from dse.token_times import passage
from hw.accelerator import Plan
from hw.mapping import Mapping
from models.ir.activity import walk
from models.ir.graph import Graph

FRAMES = 5


def tokens(graph: Graph, mapping: Mapping, masks: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """When the last beat of each token leaves: (as it is estimated, as it is simulated)."""
    plan, frames = Plan(graph, mapping), [walk(graph, mask) for mask in masks]
    found = passage(plan, frames).tokens[graph.output]
    beats = np.full(len(found.last), plan.output.beats_per_token)
    beats[found.ends] = 1
    run = Simulator(graph, mapping).run(masks)
    return found.last, np.array(run.output)[np.cumsum(beats) - 1] - run.input[0]


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("seed", range(4))
def test_tokens_of_dense_frames(net: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = NETS[net](rng)
    masks = [np.ones(graph.input.shape[:2], dtype=bool)] * FRAMES
    mapping = size_queues(graph, random_mapping(rng, graph), masks)
    found, simulated = tokens(graph, mapping, masks)
    assert np.max(np.abs(found - simulated)) <= 0.005 * simulated[-1] / FRAMES


@pytest.mark.parametrize("seed", range(8))
def test_tokens_of_sparse_frames(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_sparse_net(rng, side=16)
    masks = random_masks(rng, graph.input.shape[:2], FRAMES)
    mapping = size_queues(graph, random_mapping(rng, graph), masks)
    found, simulated = tokens(graph, mapping, masks)
    assert np.max(np.abs(found - simulated)) <= 0.01 * simulated[-1]
    alone = passage(Plan(graph, mapping), [walk(graph, mask) for mask in masks], apart=True)
    latencies = alone.tokens[graph.output].closes - alone.begun
    np.testing.assert_allclose(latencies, Simulator(graph, mapping).latencies(masks), rtol=0.01, atol=2)


def test_a_queue_that_is_too_short_makes_both_hang() -> None:
    rng = np.random.default_rng(0)
    graph = residual_net(rng)
    masks = [np.ones(graph.input.shape[:2], dtype=bool)]
    sized = size_queues(graph, random_mapping(rng, graph), masks)
    short = dataclasses.replace(sized, queues=dict.fromkeys(sized.queues, 1))
    with pytest.raises(DeadlockError):
        Simulator(graph, short).run(masks)
    with pytest.raises(RuntimeError, match="hangs with this mapping"):
        passage(Plan(graph, short), [walk(graph, mask) for mask in masks])


def test_frames_apart_do_not_wait_for_each_other() -> None:
    rng = np.random.default_rng(4)
    graph = random_sparse_net(rng, side=12)
    masks = random_masks(rng, graph.input.shape[:2], 3)
    mapping = size_queues(graph, random_mapping(rng, graph), masks)
    plan, frames = Plan(graph, mapping), [walk(graph, mask) for mask in masks]

    def latencies(order: list[int]) -> list[int]:
        found = passage(plan, [frames[place] for place in order], apart=True)
        return (found.tokens[graph.output].closes - found.begun).tolist()

    assert latencies([0, 1, 2]) == [latencies([place])[0] for place in range(3)]
    assert latencies([2, 0, 1]) == [latencies([place])[0] for place in (2, 0, 1)]
