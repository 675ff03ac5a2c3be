"""Estimated figures against the cycle simulator, which moves every beat."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from statistics import mean

import numpy as np
import pytest

from benchmarks.estimates import errors, few_cycles
from benchmarks.estimates import simulated_interval as interval
from benchmarks.inputs.nets import NETS, random_mapping, unrolled_mapping
from benchmarks.inputs.sparse_nets import few_sites, random_masks, random_sparse_net, wide_net
from cosim.cycle.density import random_mask
from cosim.cycle.simulator import Simulator, simulate, size_queues
from dse.estimate import estimate, forecast, steady
from hw.accelerator.composition import AcceleratorPlan
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import FrameInput, Mapping
from models.ir.activity import activity, sample, with_activity
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
    return with_activity(graph, masks), mapping, masks, mean(Simulator(graph, mapping).latencies(masks))


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
    # the program has two times an op; the profile between them is that of ops that all take equally long, which
    # three 3 x 3 convolutions in a row behind a slow one are furthest from, and windows of seven columns and one row
    assert evaluation.latency == pytest.approx(
        run.first_latency, rel=0.08 if net in ("concatenated", "oblong") else 0.04
    )
    # the forecast has one a token
    assert finer.latency == pytest.approx(run.first_latency, rel=0.005)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_latency_of_sparse_networks(seed: int, clustered: bool) -> None:
    graph, mapping, masks, simulated = sparse_design(seed, clustered)
    finer = forecast(graph, mapping, masks)
    assert finer.latency == pytest.approx(simulated, rel=0.005)
    assert finer.interval == pytest.approx(interval(Simulator(graph, mapping), masks, simulated), rel=0.02, abs=1)
    assert estimate(graph, mapping, DEVICE).latency == pytest.approx(simulated, rel=0.1)


def small_frames(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Errors of the program's bottleneck and of the forecast's interval, designs of frames of few cycles."""
    found = [errors(*design) for design in few_cycles(count)]
    return np.array([own.program_interval for own in found]), np.array([own.forecast_interval for own in found])


@pytest.mark.whole
def test_the_interval_of_frames_of_few_cycles() -> None:
    """Each frame waits for the op that has most to do in it, which the largest mean of an op is far below."""
    program, finer = small_frames(10)
    assert np.min(program) < -0.5
    assert np.max(np.abs(np.delete(finer, 4))) < 0.005
    # a queue of beats in pairs, of the least depth at which it is not late, whose places the forecast has one by one
    assert abs(finer[4]) < 0.05


def test_places_of_the_output_queue_are_free_when_the_sink_has_taken_them() -> None:
    """Global pooling holds one frame's beats, and these frames come faster than the beats leave."""
    rng = np.random.default_rng(30)
    graph = wide_net(rng)
    assert graph[graph.output].op == "global_pool"
    masks = few_sites(rng, graph.input.shape[:2], 16, 16)
    own = errors(with_activity(graph, masks), unrolled_mapping(graph), masks)
    assert abs(own.forecast_interval) < 0.001


@pytest.mark.slow
def test_the_interval_of_many_designs_of_few_cycles() -> None:
    program, finer = small_frames(60)
    assert np.quantile(np.abs(program), 0.5) > 0.05
    assert np.quantile(np.abs(finer), 0.95) < 0.025
    assert np.max(np.abs(finer)) < 0.05


def test_a_forecast_is_for_the_frames_that_the_graph_holds_or_others() -> None:
    graph, mapping, masks, _ = sparse_design(2, clustered=True)
    masks = sample(graph)
    assert forecast(graph, mapping) == forecast(graph, mapping, masks)
    alone = [forecast(graph, mapping, [mask]) for mask in masks]
    assert forecast(graph, mapping).latency == pytest.approx(mean(own.latency for own in alone))
    ops, work = AcceleratorPlan(graph, mapping).ops, activity(graph, masks)
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
        intervals.append(estimated.interval / interval(Simulator(graph, mapping), masks, simulated) - 1)

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


def test_the_interval_is_measured_until_frames_last_eight_latencies() -> None:
    asked: list[int] = []

    def interval(turns: int) -> float:
        asked.append(turns)
        return 10 + 1 / turns

    # two frames a turn, a frame each ten cycles: the first stretch of 800 cycles or more
    assert steady(interval, 2, 100.0) == 10 + 1 / asked[-1]
    assert 20 * asked[-2] < 800 - 2 < 800 <= 20 * asked[-1] + 2
    # eight frames at least, however fast they pass
    assert asked[0] == 4


def test_resources_are_those_of_all_parts() -> None:
    rng = np.random.default_rng(1)
    graph = NETS["residual"](rng)
    mapping = random_mapping(rng, graph)
    used = estimate(graph, mapping, DEVICE).resources
    ops = sum(op.resources(DEVICE).dsp for op in AcceleratorPlan(graph, mapping).ops.values())
    assert used["dsp"] == ops
    assert used["lut"] > sum(op.resources(DEVICE).lut for op in AcceleratorPlan(graph, mapping).ops.values())
    assert estimate(graph, mapping, DEVICE).bottleneck >= max(
        op.cycles(activity(graph, None)[name]) for name, op in AcceleratorPlan(graph, mapping).ops.items()
    )
