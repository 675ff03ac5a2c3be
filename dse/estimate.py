"""What one accelerator costs: the figures of the optimisation problem for a given mapping, and more exact ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from dse.candidates import OpChoice, budget, forks, input_candidate, link, op_candidate
from dse.evaluate import Evaluation, evaluate
from dse.problem import Interface, MilpEdge, MilpOp, Problem
from dse.timing import input_fraction, knee
from dse.token_times import passage
from hw.accelerator.composition import AcceleratorPlan
from hw.fpga.device import Device
from hw.fpga.mapping import Mapping
from models.ir.activity import Load, expected_activity, sample
from models.ir.graph import Graph
from models.ir.sites import walk


def estimate(graph: Graph, mapping: Mapping, device: Device, load: Load = "mean") -> Evaluation:
    """Evaluate one mapping with the figures of the optimisation problem.

    All figures are of kind ``estimated``; resources include FIFOs and converters, and ``violation`` refers to the whole
    device. The latency is that of a frame that finds the accelerator idle. The bottleneck is the largest mean cycle
    count of any op. For sparse frames this is about the least possible mean interval, as each frame waits for the op
    that has most work in that frame; ``forecast`` computes the interval itself.

    Parameters
        graph    the graph
        mapping  its mapping
        device   the device
        load     frame of a data set that the cycles refer to; sparse graphs hold the activity of such frames
    """
    plan = AcceleratorPlan(graph, mapping)
    work = expected_activity(graph, load)
    ops = []
    for node in graph.nodes:
        layout, choice = plan.layout(node.name), OpChoice(None, mapping.ops[node.name])
        extra = forks(graph, node.name, layout, device)
        if node is graph.input:
            own = input_candidate(plan.input_layout, work[node.name], device, extra, choice)
        else:
            own = op_candidate(plan.ops[node.name], work[node.name], device, extra, choice)
        ops.append(MilpOp(node.name, (own,), input_fraction(node, work[node.name]), knee(node, work[node.name])))
    edges = []
    for edge in plan.edges:
        lanes, name = plan.ops[edge.consumer].in_lanes, str(edge.layout.dtype)
        pair = Interface(edge.layout.lanes, name), Interface(lanes, name)
        links = {pair: link(edge.layout, lanes, edge.queue, device)}
        edges.append(MilpEdge(edge.producer, edge.consumer, edge.index, links))
    problem = Problem(device.name, tuple(ops), tuple(edges), graph.output, budget(device.resources))
    return evaluate(problem, {op.name: op.candidates[0] for op in ops})


STREAM = 8
"""Fewest frames over which the interval is measured, and fewest frames before them. Frames repeat where there are
fewer."""
FLIGHTS = 8
"""Fewest frame latencies that the measured frames must last. Where many small frames are in flight at once, those
that wait in FIFOs leave in bursts, and a shorter stretch would begin or end within a burst."""


class Forecast(NamedTuple):
    """Cycles of a design, mean over frames; ``estimated``, but closer to simulation than the problem's figures.

    Parameters
        latency   of a frame that finds the accelerator idle, from its first beat in to its last beat out
        interval  from the end of one frame to the end of the next, in a continuous stream of frames
    """

    latency: float
    interval: float


def forecast(graph: Graph, mapping: Mapping, masks: Sequence[np.ndarray] | None = None) -> Forecast:
    """Estimate latency and interval token by token.

    The latency is that of each frame alone. The interval is measured in a stream of frames after a warm-up.

    Parameters
        graph    the graph
        mapping  its mapping
        masks    active pixels of each frame, bool [height, width] each; None for the frames that the graph holds
    """
    plan = AcceleratorPlan(graph, mapping)
    frames = [walk(graph, mask) for mask in (sample(graph) if masks is None else masks)]
    alone = passage(plan, frames, apart=True)
    latency = float((alone.tokens[graph.output].closes - alone.starts).mean())

    def interval(turns: int) -> float:
        stream = passage(plan, frames * (2 * turns)).tokens[graph.output]
        ends, count = stream.last[stream.ends], turns * len(frames)
        return float(ends[-1] - ends[-1 - count]) / count

    return Forecast(latency, steady(interval, len(frames), latency))


def steady(interval: Callable[[int], float], frames: int, latency: float) -> float:
    """The mean interval over a stretch of a stream that is long enough.

    One turn sends every frame once. The number of turns doubles until they last ``FLIGHTS`` latencies.

    Parameters
        interval  function from a number of turns to the mean interval in cycles over these turns, after as many others
        frames    frames per turn
        latency   cycles of one frame
    """
    turns = -(-STREAM // frames)
    while turns * frames * (mean := interval(turns)) < FLIGHTS * latency:
        turns *= 2
    return mean
