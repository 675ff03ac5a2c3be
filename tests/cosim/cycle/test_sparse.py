"""The cycle simulator on sparse frames against the RTL: every beat in and out in the same cycle, or not at all."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.nets import random_mapping, residual_net
from benchmarks.inputs.ops import one_op
from benchmarks.inputs.sparse_nets import masked_frame, random_masks, random_sparse_net
from cosim.cycle.active_sites import BLANK, END, PLACE, SINGLE, Classes, walk
from cosim.cycle.simulator import simulate, size_queues
from hw.accelerator.composition import AcceleratorTop
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import FrameInput, Mapping, OpMapping
from hw.ops.op import divisors
from hw.ops.registry import inputs_of, mappings
from models.ir import golden
from models.ir.activity import frame_activity
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.ops.windowed import WindowNode
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
    graph = one_op(
        rng, kind, (height, width, channels), out=int(rng.integers(1, 5)), kernel=kernel, stride=stride,
        padding=padding, depthwise=bool(rng.integers(2)), x=IntType(4), w=IntType(4), y=IntType(4), sparse=True,
    )  # fmt: skip
    choices = mappings(graph["op"], inputs_of(graph, graph["op"]), DEVICES["zu3eg"])
    lanes = int(rng.choice(divisors(channels)))
    chosen = choices[int(rng.integers(len(choices)))]
    return graph, Mapping("zu3eg", 200.0, {"input": OpMapping(lanes), "op": chosen})


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


def walked(graph: Graph, mask: np.ndarray) -> tuple[dict[str, list[int]], dict[str, np.ndarray]]:
    """Of one frame, by node its sites as places in raster order, and by window op its places ``[n, PLACE]``."""
    classes = Classes(graph)
    w = np.empty(classes.size(1, int(mask.sum())), np.int64)
    walk(mask.reshape(1, -1), np.array(classes.sides), classes.windows, classes.sparse, w)
    count, windows = len(classes.sides), len(classes.windows)
    sites, places = {}, {}
    for name, kind in classes.of.items():
        start = w[count + windows + kind]
        sites[name] = [0] if kind == SINGLE else w[start : start + w[kind]].tolist()
    for name, number in classes.windows_of.items():
        rest = w[w[count + number] :]
        rest = rest[: len(rest) // PLACE * PLACE].reshape(-1, PLACE)
        places[name] = rest[: np.flatnonzero(rest[:, 1] == END)[0] + 1]
    return sites, places


@pytest.mark.parametrize("seed", range(40))
def test_the_walk_finds_the_sites_of_golden(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, _ = draw_op(rng) if seed % 2 else (random_sparse_net(rng), None)
    (mask,) = random_masks(rng, graph.input.shape[:2], 1)
    sites, places = walked(graph, mask)
    frames = golden.run(graph, masked_frame(rng, graph, mask))
    for name, frame in frames.items():
        assert sites[name] == (frame.sites[:, 0] * frame.width + frame.sites[:, 1]).tolist(), name
    for name, own in places.items():
        node = graph[name]
        assert isinstance(node, WindowNode)
        taps = own[own[:, 1] >= 0, 1]
        counted = np.bincount(taps, minlength=node.kernel**2 + 1)
        assert tuple(counted) == frame_activity(graph, mask)[name].taps


def test_columns_of_no_cell_take_a_place_among_the_sites() -> None:
    rng = np.random.default_rng(0)
    graph = one_op(rng, "max_pool", (4, 5, 1), kernel=2, stride=2, x=IntType(4), y=IntType(4), sparse=True)
    mask = np.zeros((4, 5), dtype=bool)
    mask[[0, 1, 3, 3], [4, 4, 1, 4]] = True
    sites, places = walked(graph, mask)
    assert sites["op"] == [2]
    # each waits for a token whole; twice its number and 1, then taps, then rows that were read for the last time
    assert places["op"].tolist() == [[3, BLANK, 0], [5, 1, 2], [7, BLANK, 2], [9, END, 3]]


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
