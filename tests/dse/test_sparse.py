"""Costs of sparse networks: they follow the activity that was measured, and the simulator bears them out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.inputs.nets import Builder, random_mapping
from benchmarks.inputs.sparse_nets import random_sparse_net
from cosim.cycle.density import random_mask
from cosim.cycle.simulator import simulate, size_queues
from dse.candidates import Table, queue_beats
from dse.estimate import estimate, forecast
from dse.explore import mapping_of
from dse.milp import solve
from dse.problem import Objective
from hw.accelerator.composition import AcceleratorPlan
from hw.accelerator.queue_bounds import min_deadlock_free_depth
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import FrameInput
from hw.streams.layout import MaskLayout
from hw.streams.mask_input import mask_input_resources, mask_latency
from models.ir.activity import LOADS, Load, frame_activity, with_activity
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.node import GraphError
from models.ir.ops.add import Add

DEVICE = DEVICES["zu3eg"]
TENTH = Resources(*(getattr(DEVICE, kind) // 10 for kind in Resources.names()))


def sparse_net(fmt: str, densities: tuple[float, ...] = (0.05, 0.1, 0.2)) -> Graph:
    """A strided stem, an inverted residual block, a head; with the activity of a frame of each density."""
    net = Builder(np.random.default_rng(3), (16, 18, 2), IntType(8, signed=False), sparse=True)
    start = net.conv(4, 3, fmt, stride=2)
    net.conv(8, 1, fmt)
    net.conv(8, 3, fmt, depthwise=True)
    main = net.conv(4, 1, fmt)
    net.add(main, start, fmt)
    net.global_pool(fmt)
    graph = net.linear(4, fmt)
    rng = np.random.default_rng(4)
    return with_activity(graph, [random_mask(rng, 16, 18, density) for density in densities])


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("objective", list(Objective))
def test_a_solution_costs_what_the_design_is_estimated_at(load: Load, objective: Objective) -> None:
    graph = sparse_net("int4")
    table = Table({"int4": graph}, DEVICE, load=load)
    found = solve(table.problem(TENTH), objective, gap=0.02)
    assert estimate(graph, mapping_of(table, found.selection, None), DEVICE, load) == found.evaluation


def test_a_mask_input_costs_its_words_and_its_component() -> None:
    graph = sparse_net("int4")
    table = Table({"int4": graph}, DEVICE, frame_input=FrameInput.MASK)
    found = solve(table.problem(TENTH), Objective.LATENCY, gap=0.02)
    masked, mapping = found.evaluation, mapping_of(table, found.selection, None)
    assert mapping.frame_input is FrameInput.MASK
    assert estimate(graph, mapping, DEVICE) == masked
    tokens = dataclasses.replace(mapping, frame_input=FrameInput.TOKENS)
    plain, layout = estimate(graph, tokens, DEVICE), AcceleratorPlan(graph, mapping).input_layout
    assert isinstance(layout, MaskLayout)
    extra = mask_input_resources(layout, DEVICE)
    assert masked.resources["lut"] == plain.resources["lut"] + extra.lut
    later = layout.words + mask_latency(layout)
    assert masked.latency == plain.latency + later
    # the simulator: the words come first, but sites are found while the later of them still come
    mask = random_mask(np.random.default_rng(2), 16, 18, 0.1)
    sized = size_queues(graph, mapping, [mask])
    words_first = simulate(graph, sized, [mask]).first_latency
    bare = simulate(graph, dataclasses.replace(sized, frame_input=FrameInput.TOKENS), [mask]).first_latency
    assert layout.words <= words_first - bare <= later


def test_cycles_follow_the_activity() -> None:
    graph = sparse_net("int4")
    mapping = random_mapping(np.random.default_rng(1), graph)
    full = with_activity(graph, [np.ones((16, 18), dtype=bool)])
    mean, most, all_sites = (
        estimate(graph, mapping, DEVICE),
        estimate(graph, mapping, DEVICE, "p99"),
        estimate(full, mapping, DEVICE),
    )
    assert mean.bottleneck < most.bottleneck < all_sites.bottleneck
    assert mean.latency < most.latency < all_sites.latency
    assert mean.resources == most.resources == all_sites.resources


def test_the_bottleneck_is_the_largest_cost_of_an_op() -> None:
    rng = np.random.default_rng(5)
    mask = random_mask(rng, 16, 18, 0.3)
    graph = with_activity(sparse_net("int8"), [mask])
    mapping = random_mapping(rng, graph)
    work = frame_activity(graph, mask)
    costs = {name: op.cycles(work[name]) for name, op in AcceleratorPlan(graph, mapping).ops.items()}
    assert estimate(graph, mapping, DEVICE).bottleneck == max(costs.values())


def test_a_sparse_graph_needs_its_activity() -> None:
    graph = sparse_net("int4").replace(stats={})
    with pytest.raises(GraphError, match=r"field 'stats'.*holds no activity"):
        _ = Table({"int4": graph}, DEVICE).candidates


@pytest.mark.few(5)
@pytest.mark.parametrize("seed", range(10))
def test_latency_of_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_sparse_net(rng, side=20)
    mapping = random_mapping(rng, graph)
    errors: list[float] = []
    for density in (0.1, 0.3, 1.0):
        masks = [random_mask(rng, *graph.input.shape[:2], density) for _ in range(4)]
        sized = size_queues(graph, mapping, masks)
        simulated = np.mean([simulate(graph, sized, [mask]).first_latency for mask in masks])
        errors.append(abs(forecast(graph, sized, masks).latency / simulated - 1))
    assert max(errors) < 0.002


@pytest.mark.parametrize("seed", range(20))
def test_queues_are_charged_for_every_frame(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_sparse_net(rng)
    plan = AcceleratorPlan(graph, random_mapping(rng, graph))
    for producer, consumer, _ in graph.edges:
        if isinstance(graph[consumer], Add):
            layout = plan.layout(producer)
            charged = queue_beats(graph, producer, consumer, layout)
            assert charged >= min_deadlock_free_depth(graph, producer, consumer, layout.beats_per_token)


def test_the_dense_network_is_charged_as_before() -> None:
    graph = sparse_net("int4")
    dense = graph.replace(nodes=(dataclasses.replace(graph.input, sparse=False), *graph.nodes[1:]), stats={})
    mapping = random_mapping(np.random.default_rng(1), graph)
    assert estimate(dense, mapping, DEVICE) == estimate(dense, mapping, DEVICE, "p99")
