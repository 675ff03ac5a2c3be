"""The cycle simulator on sparse frames against the RTL: every beat in and out in the same cycle, or not at all."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.nets import random_mapping, residual_net
from benchmarks.inputs.ops import one_op, random_window
from benchmarks.inputs.sparse_nets import masked_frame, random_masks, random_sparse_net
from cosim.cycle.simulator import simulate, size_queues
from hw.accelerator.composition import AcceleratorTop
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import FrameInput, Mapping, OpMapping
from hw.ops.op import divisors
from hw.ops.registry import inputs_of, mappings
from models.ir import golden
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.window import Window
from tests.support.streams import run_op


def check_equals_rtl(rng: np.random.Generator, graph: Graph, mapping: Mapping, masks: list[np.ndarray]) -> None:
    frames = [masked_frame(rng, graph, mask) for mask in masks]
    accelerator = AcceleratorTop(graph, mapping)
    beats = [accelerator.plan.input_layout.beats(frame) for frame in frames]
    simulated = simulate(graph, mapping, masks)
    stop = simulated.cycles + 100
    run = run_op(accelerator, [[beat for frame in beats for beat in frame]], len(frames), limit_cycles=stop)
    assert list(accelerator.plan.output.frames(run.payloads)) == [
        golden.run(graph, frame)[graph.output] for frame in frames
    ]
    assert [cycle for cycle, _ in run.outputs] == simulated.output
    assert run.accepted[0] == simulated.input


def draw_op(rng: np.random.Generator) -> tuple[Graph, Mapping]:
    """A window op of any geometry, also those that leave columns in no cell."""
    kind = str(rng.choice(["conv", "max_pool", "avg_pool"]))
    kernel, stride = int(rng.choice([1, 2, 3, 5, 7])), int(rng.integers(1, 3))
    if kernel == 1:
        kind, stride = "conv", 2
    padding = int(rng.integers(0, (kernel - 1) // 2 + 1))
    least = max(1, kernel - 2 * padding)
    height, width = (int(rng.integers(least, least + 8)) for _ in range(2))
    channels = int(rng.integers(1, 5))
    out, depthwise = int(rng.integers(1, 5)), bool(rng.integers(2))
    graph = one_op(
        rng, kind, (height, width, channels), out=channels if depthwise else out, kernel=kernel, stride=stride,
        padding=padding, groups=channels if depthwise else 1, x=IntType(4), w=IntType(4), y=IntType(4), sparse=True,
    )  # fmt: skip
    choices = mappings(graph["op"], inputs_of(graph, graph["op"]), DEVICES["zu3eg"])
    lanes = int(rng.choice(divisors(channels)))
    chosen = choices[int(rng.integers(len(choices)))]
    return graph, Mapping("zu3eg", 200.0, {"input": OpMapping(lanes), "op": chosen})


def draw_oblong(rng: np.random.Generator, sparse: bool) -> tuple[Graph, Mapping]:
    """A window op of unequal sides, strides, paddings and dilations."""
    kind = str(rng.choice(["conv", "conv", "max_pool", "avg_pool"]))
    sizes = random_window(rng, kind != "conv", sparse)
    window = Window.of(**sizes)
    height, width = (
        max(1, axis.span - axis.before - axis.after) + int(rng.integers(8)) for axis in (window.y, window.x)
    )
    groups = int(rng.integers(1, 4))
    channels, out = (groups * int(rng.integers(1, 4)) for _ in range(2))
    graph = one_op(
        rng, kind, (height, width, channels), out=out, **sizes, groups=groups, x=IntType(4), w=IntType(4),
        y=IntType(4), sparse=sparse,
    )  # fmt: skip
    choices = mappings(graph["op"], inputs_of(graph, graph["op"]), DEVICES["zu3eg"])
    lanes = int(rng.choice(divisors(channels)))
    return graph, Mapping("zu3eg", 200.0, {"input": OpMapping(lanes), "op": choices[int(rng.integers(len(choices)))]})


@pytest.mark.few(8)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("seed", range(30))
def test_oblong_ops(seed: int, sparse: bool) -> None:
    rng = np.random.default_rng([3, seed])
    graph, mapping = draw_oblong(rng, sparse)
    side = graph.input.shape[:2]
    masks = random_masks(rng, side, 6) if sparse else [np.full(side, full) for full in (True, False, True, True)]
    check_equals_rtl(rng, graph, mapping, masks)


@pytest.mark.slow
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("seed", range(30, 300))
def test_many_oblong_ops(seed: int, sparse: bool) -> None:
    test_oblong_ops(seed, sparse)


@pytest.mark.few(6)
@pytest.mark.parametrize("seed", range(16))
def test_ops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, mapping = draw_op(rng)
    check_equals_rtl(rng, graph, mapping, random_masks(rng, graph.input.shape[:2], 6))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(16, 400))
def test_many_ops(seed: int) -> None:
    test_ops(seed)


@pytest.mark.few(2)
@pytest.mark.parametrize("seed", range(4))
def test_networks(seed: int) -> None:
    rng = np.random.default_rng([1, seed])
    graph = random_sparse_net(rng, side=8)
    masks = random_masks(rng, graph.input.shape[:2], 6)
    # queues of the least depth: they fill, and every stream waits now and then
    mapping = size_queues(graph, random_mapping(rng, graph), masks[:1])
    check_equals_rtl(rng, graph, mapping, masks)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 40))
def test_many_networks(seed: int) -> None:
    test_networks(seed)


def test_full_frames_may_be_said_in_three_ways() -> None:
    rng = np.random.default_rng(2)
    graph = random_sparse_net(rng, side=6)
    mapping = size_queues(graph, random_mapping(rng, graph), 2)
    mask = np.ones(graph.input.shape[:2], dtype=bool)
    assert simulate(graph, mapping, 2) == simulate(graph, mapping, [True, True]) == simulate(graph, mapping, [mask] * 2)
    assert simulate(graph, mapping, [mask, ~mask]) == simulate(graph, mapping, [True, False])


def test_frames_that_cannot_be_played_are_refused() -> None:
    rng = np.random.default_rng(0)
    dense, sparse = residual_net(rng), random_sparse_net(rng)
    part = np.zeros((6, 7), dtype=bool)
    part[2, 3] = True
    with pytest.raises(ValueError, match=r"graph 'net' takes dense frames; frame 1 has 1 of 42 sites active"):
        simulate(dense, random_mapping(rng, dense), [True, part])
    with pytest.raises(ValueError, match=r"frame 0: must be True, False or bool \(6, 7\), not bool \(7, 6\)"):
        simulate(dense, random_mapping(rng, dense), [part.T])
    with pytest.raises(ValueError, match=r"frame 0: .* not int64 \(6, 7\)"):
        simulate(dense, random_mapping(rng, dense), [part.astype(np.int64)])
    with pytest.raises(ValueError, match="needs at least one frame"):
        simulate(sparse, random_mapping(rng, sparse), [])


@pytest.mark.whole
@pytest.mark.parametrize("seed", range(6))
def test_frames_as_masks(seed: int) -> None:
    rng = np.random.default_rng([2, seed])
    graph, mapping = draw_op(rng) if seed % 2 else (random_sparse_net(rng, side=8), None)
    masks = random_masks(rng, graph.input.shape[:2], 6)
    mapping = mapping or size_queues(graph, random_mapping(rng, graph), masks[:1])
    check_equals_rtl(rng, graph, dataclasses.replace(mapping, frame_input=FrameInput.MASK), masks)


@pytest.mark.parametrize("side", [(13, 40), (60, 80)], ids=["list in LUTs", "list in block memory"])
@pytest.mark.parametrize("lanes", [1, 2])
def test_masks_of_many_words(lanes: int, side: tuple[int, int]) -> None:
    """Words that are empty, full and in between, in front of an op that takes a beat a cycle."""
    rng = np.random.default_rng(lanes)
    graph = one_op(rng, "requantize", (*side, 2), x=IntType(4), y=IntType(4), sparse=True)
    mapping = Mapping("zu3eg", 200.0, {"input": OpMapping(lanes), "op": OpMapping(1, 1)}, frame_input=FrameInput.MASK)
    rows = np.zeros(side, dtype=bool)
    rows[[0, 5, 12]] = True
    masks = [rows, *(random_masks(rng, side, 8) if side[0] < 50 else []), np.zeros_like(rows), rows]
    check_equals_rtl(rng, graph, mapping, masks)
