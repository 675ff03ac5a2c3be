"""Queues before adds: no frame makes a residual network hang, and the frames they are sized for are not held back."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.inputs.nets import Builder, random_mapping, residual_net
from benchmarks.inputs.ops import random_frame
from benchmarks.inputs.sparse_nets import FORMAT, random_masks, random_sparse_net
from cosim.cycle import queues, streams
from cosim.cycle.queues import QueueRecord
from cosim.cycle.records import UNKNOWN
from cosim.cycle.simulator import DeadlockError, simulate, size_queues
from hw.accelerator.composition import AcceleratorPlan, AcceleratorTop
from hw.accelerator.queue_bounds import min_deadlock_free_depth
from hw.fpga.mapping import Mapping
from hw.streams.stream import BLOCK_DEPTH
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.ops.add import Add
from tests.cosim.cycle.hand_made import Layout
from tests.support.interpreted import interpreted
from tests.support.streams import run_op

run_queue, take_beat = interpreted(queues.run_queue), interpreted(streams.take_beat)
beat_shown = interpreted(streams.beat_shown)


def with_least_queues(graph: Graph, mapping: Mapping) -> Mapping:
    plan = AcceleratorPlan(graph, mapping)
    edges = [(a, b) for a, b, _ in graph.edges if isinstance(graph[b], Add)]
    depths = {f"{a}->{b}": min_deadlock_free_depth(graph, a, b, plan.layout(a).beats_per_token) for a, b in edges}
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


def residual(seed: int) -> tuple[Graph, Mapping, list[np.ndarray], dict[str, int]]:
    """A residual network, sparse or, of an even seed, dense; its mapping, frames, and its queues' least depths."""
    rng = np.random.default_rng(seed)
    graph = random_sparse_net(rng) if seed % 2 else residual_net(rng)
    masks = (
        random_masks(rng, graph.input.shape[:2], 6) if seed % 2 else [np.ones(graph.input.shape[:2], dtype=bool)] * 4
    )
    mapping = random_mapping(rng, graph)
    least = with_least_queues(graph, mapping).queues if seed % 2 else dict.fromkeys(mapping.queues, 2)
    return graph, mapping, masks, least


@pytest.mark.parametrize("seed", range(12))
def test_sized_queues_cost_nothing(seed: int) -> None:
    graph, mapping, masks, least = residual(seed)
    sized = size_queues(graph, mapping, masks)
    assert all(sized.queues[edge] >= depth for edge, depth in least.items())
    run = simulate(graph, sized, masks)
    assert all(held <= sized.queues[edge] for edge, held in run.queues.items())
    # a queue in block memory stays there, as one in LUTs is a cycle faster
    deep = {edge: 5000 if depth > BLOCK_DEPTH else BLOCK_DEPTH for edge, depth in sized.queues.items()}
    assert simulate(graph, dataclasses.replace(sized, queues=deep), masks).output >= run.output


@pytest.mark.parametrize("seed", range(12))
def test_a_place_less_costs_cycles(seed: int) -> None:
    graph, mapping, masks, least = residual(seed)
    sized = size_queues(graph, mapping, masks)
    want = simulate(graph, sized, masks)
    for edge, depth in sized.queues.items():
        if depth > least[edge]:
            queues = {**sized.queues, edge: depth - 1}
            assert outputs(graph, dataclasses.replace(sized, queues=queues), masks) > want.output


def outputs(graph: Graph, mapping: Mapping, masks: list[np.ndarray]) -> list[int]:
    """When beats come out; later than ever where the network hangs."""
    try:
        return simulate(graph, mapping, masks).output
    except DeadlockError:
        return [sys.maxsize]


@pytest.mark.whole
def test_a_place_less_costs_cycles_in_the_rtl() -> None:
    graph, mapping, masks, least = residual(0)
    sized = size_queues(graph, mapping, masks)
    edge = "conv1->add4"
    assert sized.queues[edge] > least[edge]
    rng = np.random.default_rng(0)
    frames = [random_frame(rng, graph) for _ in masks]
    ends = []
    for places in (0, 1):
        queues = {**sized.queues, edge: sized.queues[edge] - places}
        accelerator = AcceleratorTop(graph, dataclasses.replace(sized, queues=queues))
        beats = [beat for frame in frames for beat in accelerator.plan.input.beats(frame)]
        ends.append(run_op(accelerator, [beats], len(frames)).end_cycles)
    assert ends[1] > ends[0]


def step_by_step(offers: list[int], stalls: list[bool], depth: int, latency: int) -> tuple[list[int], list[int]]:
    """When beats enter and leave a queue, cycle by cycle.

    A queue of latency 2 holds its first beat in a register; the beat's place is free when it shows there.
    """
    entered: list[int] = []
    left: list[int] = []
    cycle, freed = 0, 0
    while len(left) < len(offers):
        first = len(left)
        shows = first < len(entered) and entered[first] + latency <= cycle
        if latency == 2 and shows:
            freed = max(freed, first + 1)
        arrives = len(entered) < len(offers) and offers[len(entered)] <= cycle
        places = len(entered) - (freed if latency == 2 else len(left))
        if shows and not stalls[cycle % len(stalls)]:
            left.append(cycle)
        if arrives and places < depth:
            entered.append(cycle)
        cycle += 1
    return entered, left


@settings(max_examples=25)
@given(
    gaps=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    stalls=st.lists(st.booleans(), min_size=1, max_size=9),
    depth=st.integers(2, 4),
    latency=st.integers(1, 2),
    forked=st.booleans(),
)
def test_beats_enter_and_leave_as_step_by_step(
    gaps: list[int], stalls: list[bool], depth: int, latency: int, forked: bool
) -> None:
    stalls = [*stalls, False]
    # beats of one frame: all but the last are tokens
    own = Layout(len(gaps) - 1)
    stream, readers = own.stream(readers=1 + forked)
    out, reader = own.stream()
    into = readers[0] if forked else readers
    queue = own.process(QueueRecord, depth=depth, latency=latency, source=into.at, sink=out.at)
    own.offer(stream, *(int(time) for time in np.cumsum(gaps)))
    for _ in range(3 * len(gaps)):
        run_queue(own.m, own.w, queue.at)
        if forked:
            # the other reader is never late
            while (time := beat_shown(own.m, readers[1])) != UNKNOWN:
                take_beat(own.m, own.w, readers[1], time)
        while (time := beat_shown(own.m, reader)) != UNKNOWN:
            while stalls[time % len(stalls)]:
                time += 1
            take_beat(own.m, own.w, reader, time)
    run_queue(own.m, own.w, queue.at)
    entered, left = step_by_step(list(np.cumsum(gaps)), stalls, depth, latency)
    assert own.moves(out) == left
    assert [time - latency for time in own.offers(out)] == entered
    held = [n + 1 - sum(time < cycle for time in left) for n, cycle in enumerate(entered)]
    assert queue.most == max(held)
