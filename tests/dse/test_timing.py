"""The figures of an op that make up its latency, and what becomes of them along a chain, against the simulator."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.inputs.nets import Builder
from cosim.cycle.simulator import Simulator, simulate
from dse.estimate import estimate, forecast
from dse.timing import input_fraction, knee
from hw.accelerator.composition import AcceleratorPlan
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping, OpMapping
from models.ir.activity import expected_activity, with_activity
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.ops.conv import Conv
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant

DEVICE = DEVICES["zu3eg"]
SIDE, CHANNELS, DEPTH = 12, 4, 6
FULL, EMPTY = np.ones((SIDE, SIDE), dtype=bool), np.zeros((SIDE, SIDE), dtype=bool)


def chain(kernels: list[int], sparse: bool = False) -> Graph:
    net = Builder(np.random.default_rng(1), (SIDE, SIDE, CHANNELS), IntType(8, signed=False), sparse)
    for kernel in kernels:
        net.conv(CHANNELS, kernel, "int8")
    return Graph("chain", tuple(net.nodes), net.last)


def folded(graph: Graph, pe: list[int]) -> Mapping:
    """Output channels at once, op by op; all input channels, tap by tap."""
    ops = {graph.input.name: OpMapping(CHANNELS)}
    for node, width in zip(graph.nodes[1:], pe, strict=True):
        ops[node.name] = OpMapping(width, CHANNELS)
    return Mapping(DEVICE.name, 200.0, ops)


def error(graph: Graph, mapping: Mapping, mask: np.ndarray = FULL) -> float:
    return estimate(graph, mapping, DEVICE).latency / simulate(graph, mapping, [mask]).first_latency - 1


def test_ops_of_one_pace_follow_each_other_by_a_row_of_windows() -> None:
    graph = chain([3] * DEPTH)
    mapping = folded(graph, [1] * DEPTH)
    assert abs(error(graph, mapping)) < 0.03
    op, work = AcceleratorPlan(graph, mapping).ops["conv3"], expected_activity(graph)["conv3"]
    row, site = 9 * CHANNELS * (SIDE - 2) + 2 * 6 * CHANNELS, 9 * CHANNELS
    assert abs(op.latency(work).drain - row - op.start - op.pipeline) < 2 * site


@pytest.mark.parametrize(("slow", "limit"), [(0, 0.03), (2, 0.02), (5, 0.02)])
def test_one_slow_op_among_fast_ones(slow: int, limit: float) -> None:
    graph = chain([3] * DEPTH)
    mapping = folded(graph, [1 if place == slow else 4 for place in range(DEPTH)])
    assert abs(error(graph, mapping)) < limit


def test_tokens_that_come_in_bursts_wait_before_a_pointwise_op() -> None:
    graph = chain([3, 1, 3, 1], sparse=True)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    mask = (rows - 5) ** 2 + (columns - 5) ** 2 < 12
    mask[0, ::2] = True
    graph = with_activity(graph, [mask])
    mapping = folded(graph, [1, 1, 1, 1])
    pointwise = dataclasses.replace(mapping, ops={**mapping.ops, "conv2": OpMapping(1, 1), "conv4": OpMapping(1, 1)})
    for own in (mapping, pointwise):
        assert abs(error(graph, own, mask)) < 0.08
        assert abs(forecast(graph, own).latency / simulate(graph, own, [mask]).first_latency - 1) < 0.005


def pooled(net: Builder) -> None:
    net.global_pool("int8")


def requantized(net: Builder) -> None:
    rule = Requant.identity(CHANNELS, -128, 127)
    net.nodes.append(Requantize(name="cast", inputs=("input",), dtype=IntType(8), requant=rule))


def convolved_to_one_beat(net: Builder) -> None:
    net.conv(1, 3, "int8")
    net.nodes[-1] = dataclasses.replace(net.nodes[-1], padding=0)  # type: ignore[call-arg]


def test_an_op_alone_starts_and_lasts_as_it_says() -> None:
    ways = (pooled, OpMapping(1, 1)), (requantized, OpMapping(1)), (convolved_to_one_beat, OpMapping(1, CHANNELS))
    for add, mapping in ways:
        net = Builder(np.random.default_rng(1), (3, 3, CHANNELS), IntType(8, signed=False))
        add(net)
        graph = Graph("alone", tuple(net.nodes), net.last)
        whole = Mapping(DEVICE.name, 200.0, {"input": OpMapping(1), net.last: mapping})
        figures = AcceleratorPlan(graph, whole).ops[net.last].latency(expected_activity(graph)[net.last])
        run = Simulator(graph, whole).run([FULL[:3, :3]])
        # the last beat is that of the frame's end
        assert run.output[-2] - run.output[0] == figures.duration
        # a window waits for whole sites, so that it is later than its first output needs
        if add is not convolved_to_one_beat:
            assert run.output[0] - run.input[0] == figures.first_output


def test_shares_of_the_input_s_time() -> None:
    graph = chain([3, 1])
    work = expected_activity(graph)
    conv = graph["conv1"]
    assert isinstance(conv, Conv)
    assert input_fraction(conv, work["conv1"]) == Fraction(SIDE + 2, SIDE**2).limit_denominator(1000)
    assert input_fraction(conv, work["conv1"]) <= knee(conv, work["conv1"]) <= 1
    assert input_fraction(graph.input, work["input"]) == knee(graph.input, work["input"]) == 0


def test_no_figure_of_an_empty_frame_is_negative() -> None:
    graph = with_activity(chain([3, 1], sparse=True), [EMPTY])
    mapping = folded(graph, [1, 1])
    work = expected_activity(graph)
    for name, op in AcceleratorPlan(graph, mapping).ops.items():
        assert min(op.latency(work[name])) >= 0
    assert abs(forecast(graph, mapping).latency - simulate(graph, mapping, [EMPTY]).first_latency) <= 2
