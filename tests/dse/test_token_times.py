"""The time of every token that leaves an accelerator, against the cycle simulator, which has one for every beat."""

from __future__ import annotations

import dataclasses
from itertools import product

import numpy as np
import pytest

from benchmarks.inputs.nets import NETS, Builder, random_mapping, residual_net, strided_net
from benchmarks.inputs.sparse_nets import random_masks, random_sparse_net
from cosim.cycle.simulator import DeadlockError, Simulator, size_queues
from dse.token_times import passage
from hw.accelerator.composition import AcceleratorPlan
from hw.fpga.mapping import Mapping, OpMapping
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.sites import walk

FRAMES = 5


def tokens(graph: Graph, mapping: Mapping, masks: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """When the last beat of each token leaves: (as it is estimated, as it is simulated)."""
    plan, frames = AcceleratorPlan(graph, mapping), [walk(graph, mask) for mask in masks]
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
    assert found.tolist() == simulated.tolist()


@pytest.mark.parametrize("queue", [0, 3])
@pytest.mark.parametrize("kernels", [(1, 1), (1, 3), (3, 1)])
def test_tokens_behind_queues_and_converters_of_any_lanes(kernels: tuple[int, int], queue: int) -> None:
    """Two convolutions of 8 channels, of which the second is slow, so that the first and the source wait."""
    net = Builder(np.random.default_rng(1), (4, 5, 8), IntType(8, signed=False))
    for kernel in kernels:
        net.conv(8, kernel, "int8")
    graph = Graph("chain", tuple(net.nodes), net.last)
    masks = [np.ones((4, 5), dtype=bool)] * 2
    for source, written, read in product((1, 4, 8), (1, 2, 8), (1, 4, 8)):
        ops = {"input": OpMapping(source), "conv1": OpMapping(written, 4), "conv2": OpMapping(1, read)}
        mapping = Mapping("zu3eg", 200.0, ops, {"conv1->conv2": queue} if queue else {})
        found, simulated = tokens(graph, mapping, masks)
        assert found.tolist() == simulated.tolist()


def test_an_op_before_a_converter_to_more_lanes_waits_for_the_word_before() -> None:
    """In the midst of a design, where the op behind the converter is slow and the frame's end leaves at once."""
    rng = np.random.default_rng(1278)
    graph = strided_net(rng)
    masks = [np.ones(graph.input.shape[:2], dtype=bool)] * 2
    mapping = random_mapping(rng, graph)
    (edge,) = (edge for edge in AcceleratorPlan(graph, mapping).edges if edge.producer == "conv2")
    assert max(edge.lanes) > edge.layout.lanes
    found = passage(AcceleratorPlan(graph, mapping), [walk(graph, mask) for mask in masks]).tokens["conv2"]
    run = Simulator(graph, mapping).run(masks)
    assert found.last[found.ends].tolist() == [cycle - run.input[0] for cycle in run.edges["conv2__conv3_0"]]


@pytest.mark.parametrize("seed", range(8))
def test_tokens_of_sparse_frames(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_sparse_net(rng, side=16)
    masks = random_masks(rng, graph.input.shape[:2], FRAMES)
    mapping = size_queues(graph, random_mapping(rng, graph), masks)
    found, simulated = tokens(graph, mapping, masks)
    assert np.max(np.abs(found - simulated)) <= 0.01 * simulated[-1]
    alone = passage(AcceleratorPlan(graph, mapping), [walk(graph, mask) for mask in masks], apart=True)
    latencies = alone.tokens[graph.output].closes - alone.starts
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
        passage(AcceleratorPlan(graph, short), [walk(graph, mask) for mask in masks])


def test_frames_apart_do_not_wait_for_each_other() -> None:
    rng = np.random.default_rng(4)
    graph = random_sparse_net(rng, side=12)
    masks = random_masks(rng, graph.input.shape[:2], 3)
    mapping = size_queues(graph, random_mapping(rng, graph), masks)
    plan, frames = AcceleratorPlan(graph, mapping), [walk(graph, mask) for mask in masks]

    def latencies(order: list[int]) -> list[int]:
        found = passage(plan, [frames[place] for place in order], apart=True)
        return (found.tokens[graph.output].closes - found.starts).tolist()

    assert latencies([0, 1, 2]) == [latencies([place])[0] for place in range(3)]
    assert latencies([2, 0, 1]) == [latencies([place])[0] for place in (2, 0, 1)]
