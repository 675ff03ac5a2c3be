"""Estimated figures against the cycle simulator, which moves every beat."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from statistics import mean

import numpy as np
import pytest

from benchmarks.inputs.nets import NETS, random_mapping
from benchmarks.inputs.sparse_nets import random_masks, random_sparse_net, wide_net
from cosim.cycle import Simulator, simulate, size_queues
from cosim.density import random_mask
from dse.estimate import STREAM, estimate, forecast
from hw.accelerator import Plan
from hw.device import DEVICES
from hw.mapping import FrameInput, Mapping
from models.ir.activity import activity, measured, sample
from models.ir.graph import Graph

DEVICE = DEVICES["zu3eg"]
FRAMES = 6


@cache
def sparse_design(seed: int, clustered: bool) -> tuple[Graph, Mapping, list[np.ndarray], float]:
    """A random sparse network that knows its frames, a random mapping, the frames, and the simulated latency."""
    rng = np.random.default_rng(seed)
    graph = random_sparse_net(rng, side=20)
    side = graph.input.shape[:2]
    masks = [random_mask(rng, *side, 0.3) for _ in range(FRAMES)]
    if clustered:
        masks = random_masks(rng, side, FRAMES)
    mapping = size_queues(graph, random_mapping(rng, graph), masks)
    return measured(graph, masks), mapping, masks, mean(Simulator(graph, mapping).latencies(masks))


def interval(graph: Graph, mapping: Mapping, masks: list[np.ndarray]) -> float:
    """Simulated, in a stream that is long under way."""
    count = len(masks) * -(-STREAM // len(masks))
    return mean(Simulator(graph, mapping).run(masks * (2 * count // len(masks))).intervals[-count:])


def dense_designs(count: int) -> Iterator[tuple[Graph, Mapping]]:
    for seed in range(count):
        rng = np.random.default_rng(seed)
        graph = list(NETS.values())[seed % len(NETS)](rng, ("int8", "int4", "dybit4")[seed % 3])
        mapping = random_mapping(rng, graph)
        yield graph, size_queues(graph, mapping, 4)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("seed", range(6))
def test_cycles_and_latency(net: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = NETS[net](rng, "int8" if seed % 2 else "dybit4", "int4")
    mapping = random_mapping(rng, graph)
    evaluation, finer, run = estimate(graph, mapping, DEVICE), forecast(graph, mapping), simulate(graph, mapping, 3)
    assert evaluation.bottleneck == finer.interval == run.interval
    # the program has two times an op; the profile between them is that of ops that all take equally long
    assert evaluation.latency == pytest.approx(run.first_latency, rel=0.04)
    # the forecast has one a token
    assert finer.latency == pytest.approx(run.first_latency, rel=0.005)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_latency_of_sparse_networks(seed: int, clustered: bool) -> None:
    graph, mapping, masks, simulated = sparse_design(seed, clustered)
    finer = forecast(graph, mapping, masks)
    assert finer.latency == pytest.approx(simulated, rel=0.005)
    assert finer.interval == pytest.approx(interval(graph, mapping, masks), rel=0.02, abs=1)
    assert estimate(graph, mapping, DEVICE).latency == pytest.approx(simulated, rel=0.1)


def test_a_forecast_is_for_the_frames_that_the_graph_holds_or_others() -> None:
    graph, mapping, masks, _ = sparse_design(2, clustered=True)
    masks = sample(graph)
    assert forecast(graph, mapping) == forecast(graph, mapping, masks)
    alone = [forecast(graph, mapping, [mask]) for mask in masks]
    assert forecast(graph, mapping).latency == pytest.approx(mean(own.latency for own in alone))
    ops, work = Plan(graph, mapping).ops, activity(graph, masks)
    assert forecast(graph, mapping).interval >= max(op.cycles(work[name]) for name, op in ops.items()) - 1


def test_a_forecast_of_a_mask_input_comes_later_by_the_words() -> None:
    graph, mapping, masks, _ = sparse_design(2, clustered=True)
    words = Mapping(mapping.device, mapping.clock_mhz, mapping.ops, mapping.queues, FrameInput.MASK)
    late = forecast(graph, words, masks).latency - forecast(graph, mapping, masks).latency
    assert late == estimate(graph, words, DEVICE).latency - estimate(graph, mapping, DEVICE).latency


@pytest.mark.slow
def test_errors_of_a_hundred_networks() -> None:
    program, finer, intervals = [], [], []

    def add(graph: Graph, mapping: Mapping, masks: list[np.ndarray], simulated: float) -> None:
        estimated = forecast(graph, mapping, masks)
        program.append(estimate(graph, mapping, DEVICE).latency / simulated - 1)
        finer.append(estimated.latency / simulated - 1)
        intervals.append(estimated.interval / interval(graph, mapping, masks) - 1)

    for graph, mapping in dense_designs(50):
        add(graph, mapping, sample(graph), simulate(graph, mapping).first_latency)
    assert np.max(np.abs(intervals)) < 0.002
    for seed in range(50):
        add(*sparse_design(seed, clustered=True))
    assert np.quantile(np.abs(intervals), 0.95) < 0.01
    assert np.max(np.abs(intervals)) < 0.06
    assert np.quantile(np.abs(finer), 0.95) < 0.002
    assert np.max(np.abs(finer)) < 0.01
    assert np.quantile(np.abs(program), 0.95) < 0.08
    assert np.max(np.abs(program)) < 0.13


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_latency_of_wide_networks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = wide_net(rng)
    side = graph.input.shape[:2]
    masks = random_masks(rng, side, FRAMES) if graph.input.sparse else [np.ones(side, dtype=bool)]
    mapping = size_queues(graph, random_mapping(rng, graph), masks)
    simulated = mean(Simulator(graph, mapping).latencies(masks))
    assert forecast(graph, mapping, masks).latency == pytest.approx(simulated, rel=0.01)


def test_resources_are_those_of_all_parts() -> None:
    rng = np.random.default_rng(1)
    graph = NETS["residual"](rng)
    mapping = random_mapping(rng, graph)
    used = estimate(graph, mapping, DEVICE).resources
    ops = sum(op.resources(DEVICE).dsp for op in Plan(graph, mapping).ops.values())
    assert used["dsp"] == ops
    assert used["lut"] > sum(op.resources(DEVICE).lut for op in Plan(graph, mapping).ops.values())
    assert estimate(graph, mapping, DEVICE).bottleneck >= max(
        op.cycles(activity(graph, None)[name]) for name, op in Plan(graph, mapping).ops.items()
    )
