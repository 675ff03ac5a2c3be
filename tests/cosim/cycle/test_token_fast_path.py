"""Tokens that pass whole in the cycle simulator, where each takes many beats: beat by beat all times are the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.nets import random_mapping
from benchmarks.inputs.ops import empty_frame, random_frame
from benchmarks.inputs.sparse_nets import masked_frame, random_masks, wide_net
from cosim.cycle.op_state import OpRecord
from cosim.cycle.simulator import CycleRun, DeadlockError, Simulator
from hw.accelerator.composition import AcceleratorTop
from hw.fpga.mapping import FrameInput, Mapping
from models.ir.graph import Graph
from tests.cosim.cycle.test_queues import with_least_queues
from tests.cosim.cycle.test_stalls import stalls
from tests.support.streams import run_op


def draw(rng: np.random.Generator) -> tuple[Graph, Mapping, list[np.ndarray]]:
    """A network, its mapping, with queues deep enough or nearly so, and frames."""
    graph = wide_net(rng)
    mapping, side, frames = random_mapping(rng, graph), graph.input.shape[:2], int(rng.integers(1, 6))
    if not graph.input.sparse:
        return graph, mapping, [np.full(side, bool(rng.integers(4))) for _ in range(frames)]
    share = rng.choice([0.7, 1, 1, 1.5])
    least = with_least_queues(graph, mapping).queues
    queues = {edge: max(2, int(depth * share)) + int(rng.integers(9)) for edge, depth in least.items()}
    frame_input = list(FrameInput)[int(rng.integers(2))]
    mapping = dataclasses.replace(mapping, queues=queues, frame_input=frame_input)
    return graph, mapping, random_masks(rng, side, frames)


def played(simulator: Simulator, masks: list[np.ndarray]) -> CycleRun | str:
    """The run, or what waits where there is none."""
    try:
        return simulator.run(masks)
    except DeadlockError as error:
        return str(error)


@pytest.mark.parametrize("seed", range(60))
def test_equals_beat_by_beat(seed: int) -> None:
    rng = np.random.default_rng([9, seed])
    graph, mapping, masks = draw(rng)
    source, sink = (stalls(rng) if rng.integers(3) == 0 else None for _ in range(2))
    whole, beats = (Simulator(graph, mapping, source=source, sink=sink) for _ in range(2))
    for address in beats._parts.ops.values():
        OpRecord(beats._start, address).flows = 0
    assert played(whole, masks) == played(beats, masks)


def check_equals_rtl(seed: int) -> None:
    rng = np.random.default_rng([10, seed])
    graph, mapping, masks = draw(rng)
    run = played(Simulator(graph, mapping), masks)
    if isinstance(run, str):
        return
    accelerator = AcceleratorTop(graph, mapping)
    if graph.input.sparse:
        frames = [masked_frame(rng, graph, mask) for mask in masks]
    else:
        frames = [random_frame(rng, graph) if mask.any() else empty_frame(graph) for mask in masks]
    beats = [accelerator.plan.input_layout.beats(frame) for frame in frames]
    rtl = run_op(accelerator, [[beat for frame in beats for beat in frame]], len(frames))
    assert rtl.accepted[0] == run.input
    assert [cycle for cycle, _ in rtl.outputs] == run.output


@pytest.mark.parametrize("seed", range(2))
def test_equals_rtl(seed: int) -> None:
    check_equals_rtl(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 20))
def test_more_equal_rtl(seed: int) -> None:
    check_equals_rtl(seed)
