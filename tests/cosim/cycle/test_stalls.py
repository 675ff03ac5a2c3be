"""The cycle simulator against the RTL with a source and a sink that stall: every beat in the same cycle."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.nets import NETS, random_mapping
from benchmarks.inputs.ops import empty_frame, random_frame
from benchmarks.inputs.sparse_nets import masked_frame, random_masks, random_sparse_net
from cosim.cycle.simulator import Simulator, simulate, size_queues
from hw.accelerator.composition import AcceleratorTop
from hw.fpga.mapping import FrameInput, Mapping
from models.ir.frame import Frame
from models.ir.graph import Graph
from tests.cosim.cycle.test_sparse import draw_op
from tests.support.streams import run_op


def stalls(rng: np.random.Generator) -> np.ndarray:
    """bool ``[cycles]``: stalls that come and go at random, or lie together, as rare or frequent as may be."""
    pattern = rng.random(int(rng.integers(2, 90))) < rng.choice([0.05, 0.3, 0.6, 0.9])
    if rng.integers(2):
        pattern = np.sort(pattern)
    pattern[rng.integers(len(pattern))] = False
    return pattern


def check_equals_rtl(graph: Graph, mapping: Mapping, frames: list[Frame], *ports: np.ndarray) -> None:
    source, sink = ports
    accelerator = AcceleratorTop(graph, mapping)
    simulated = simulate(graph, mapping, [frame.mask for frame in frames], source=source, sink=sink)
    run = run_op(
        accelerator,
        [[beat for frame in frames for beat in accelerator.plan.input_layout.beats(frame)]],
        len(frames),
        source_stall=lambda cycle: bool(source[cycle % len(source)]),
        sink_stall=lambda cycle: bool(sink[cycle % len(sink)]),
        limit_cycles=simulated.cycles + 100,
    )
    assert run.accepted[0] == simulated.input
    assert [cycle for cycle, _ in run.outputs] == simulated.output


@pytest.mark.few(6)
@pytest.mark.parametrize("seed", range(12))
def test_ops_on_sparse_frames(seed: int) -> None:
    rng = np.random.default_rng([3, seed])
    graph, mapping = draw_op(rng)
    if seed % 3 == 0:
        mapping = dataclasses.replace(mapping, frame_input=FrameInput.MASK)
    frames = [masked_frame(rng, graph, mask) for mask in random_masks(rng, graph.input.shape[:2], 5)]
    check_equals_rtl(graph, mapping, frames, stalls(rng), stalls(rng))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 120))
def test_more_ops_on_sparse_frames(seed: int) -> None:
    test_ops_on_sparse_frames(seed)


@pytest.mark.few(1)
@pytest.mark.parametrize("name", NETS)
def test_networks(name: str) -> None:
    rng = np.random.default_rng([4, *name.encode()])
    graph = NETS[name](rng, "int4")
    mapping = size_queues(graph, random_mapping(rng, graph))
    frames = [random_frame(rng, graph) if whole else empty_frame(graph) for whole in (True, False, True)]
    check_equals_rtl(graph, mapping, frames, stalls(rng), stalls(rng))


@pytest.mark.whole
@pytest.mark.parametrize("seed", range(2))
def test_sparse_networks(seed: int) -> None:
    rng = np.random.default_rng([5, seed])
    graph = random_sparse_net(rng, side=8)
    masks = random_masks(rng, graph.input.shape[:2], 5)
    mapping = size_queues(graph, random_mapping(rng, graph), masks[:1])
    mapping = dataclasses.replace(mapping, frame_input=list(FrameInput)[seed])
    check_equals_rtl(graph, mapping, [masked_frame(rng, graph, mask) for mask in masks], stalls(rng), stalls(rng))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 40))
def test_more_sparse_networks(seed: int) -> None:
    rng = np.random.default_rng([5, seed])
    graph = random_sparse_net(rng, side=8)
    masks = random_masks(rng, graph.input.shape[:2], 5)
    mapping = size_queues(graph, random_mapping(rng, graph), masks[:1])
    mapping = dataclasses.replace(mapping, frame_input=list(FrameInput)[seed % 2])
    check_equals_rtl(graph, mapping, [masked_frame(rng, graph, mask) for mask in masks], stalls(rng), stalls(rng))


def test_ports_that_never_stall_cost_nothing() -> None:
    rng = np.random.default_rng(6)
    graph = random_sparse_net(rng)
    mapping, masks = random_mapping(rng, graph), random_masks(rng, graph.input.shape[:2], 4)
    never = np.zeros(3, dtype=bool)
    assert simulate(graph, mapping, masks, source=never, sink=never) == simulate(graph, mapping, masks)


def test_frames_alone_take_as_long_as_the_first_of_a_run() -> None:
    rng = np.random.default_rng(7)
    graph = random_sparse_net(rng)
    masks = random_masks(rng, graph.input.shape[:2], 4)
    simulator = Simulator(graph, random_mapping(rng, graph))
    assert simulator.latencies(masks) == [simulator.run([mask]).first_latency for mask in masks]
    # nothing of a run is left in the next
    assert simulator.run(masks) == simulator.run(masks)


@pytest.mark.parametrize(
    "pattern", [np.ones(4, dtype=bool), np.zeros((2, 2), dtype=bool), np.zeros(4), np.zeros(0, dtype=bool)]
)
def test_stalls_that_cannot_be_are_refused(pattern: np.ndarray) -> None:
    rng = np.random.default_rng(8)
    graph = random_sparse_net(rng)
    with pytest.raises(ValueError, match=r"sink: stalls must be bool \[cycles\] with a cycle without"):
        simulate(graph, random_mapping(rng, graph), sink=pattern)
