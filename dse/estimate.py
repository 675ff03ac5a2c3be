"""What one accelerator costs: the figures of the problem, of a graph and a mapping as they are, and finer ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from dse.candidates import Build, budget, forks, input_candidate, link, op_candidate
from dse.problem import Edge, Evaluation, Interface, Op, Problem, evaluate
from dse.timing import knee, lead
from dse.token_times import passage
from hw.accelerator import Plan
from hw.device import Device
from hw.mapping import Mapping
from models.ir.activity import Load, expected, sample, walk
from models.ir.graph import Graph


def estimate(graph: Graph, mapping: Mapping, device: Device, load: Load = "mean") -> Evaluation:
    """Bottleneck, latency of a frame that finds the accelerator idle, and resources, queues and converters included.

    Every figure is of kind ``estimated``; ``overrun`` is against the whole device. The bottleneck is the largest mean
    of an op: of sparse frames about the least that the mean interval can be, as each frame waits for the op that has
    most to do in it. ``forecast`` has the interval itself. ``load``: which frame of a data set the cycles are for,
    where the graph is sparse and holds its activity.
    """
    plan = Plan(graph, mapping)
    work = expected(graph, load)
    ops = []
    for node in graph.nodes:
        layout, choice = plan.layout(node.name), Build(None, mapping.ops[node.name])
        extra = forks(graph, node.name, layout, device)
        if node is graph.input:
            own = input_candidate(plan.source, work[node.name], device, extra, choice)
        else:
            own = op_candidate(plan.ops[node.name], work[node.name], device, extra, choice)
        ops.append(Op(node.name, (own,), lead(node, work[node.name]), knee(node, work[node.name])))
    edges = []
    for edge in plan.edges:
        lanes, name = plan.ops[edge.consumer].in_lanes, str(edge.layout.dtype)
        pair = Interface(edge.layout.lanes, name), Interface(lanes, name)
        links = {pair: link(edge.layout, lanes, edge.queue, device)}
        edges.append(Edge(edge.producer, edge.consumer, edge.index, links))
    problem = Problem(device.name, tuple(ops), tuple(edges), graph.output, budget(device.resources))
    return evaluate(problem, {op.name: op.candidates[0] for op in ops})


STREAM = 8
"""The fewest frames, all of them once or more often, over which the interval is measured, and as many before."""
FLIGHTS = 8
"""The fewest latencies of a frame that these frames take. Where many small frames are under way at once, those that
wait in queues leave in bursts, and a shorter stretch would begin or end within one.
"""


class Forecast(NamedTuple):
    """Cycles of a design, mean over frames; ``estimated``, and nearer to what is simulated than the program's figures.

    Parameters
        latency    of a frame that finds the accelerator idle, first beat in to last beat out
        interval   from one frame's end to the next, in a stream of frames
    """

    latency: float
    interval: float


def forecast(graph: Graph, mapping: Mapping, masks: Sequence[np.ndarray] | None = None) -> Forecast:
    """Both token by token: the latency of each frame alone; the interval in a stream of them that is long under way.

    ``masks``: the active sites of each frame; where they are not given, the frames that the graph holds.
    """
    plan = Plan(graph, mapping)
    frames = [walk(graph, mask) for mask in (sample(graph) if masks is None else masks)]
    alone = passage(plan, frames, apart=True)
    latency = float((alone.tokens[graph.output].closes - alone.begun).mean())

    def interval(turns: int) -> float:
        stream = passage(plan, frames * (2 * turns)).tokens[graph.output]
        ends, count = stream.last[stream.ends], turns * len(frames)
        return float(ends[-1] - ends[-1 - count]) / count

    return Forecast(latency, steady(interval, len(frames), latency))


def steady(interval: Callable[[int], float], frames: int, latency: float) -> float:
    """The mean interval over a stretch of a stream that is long enough.

    Parameters
        interval    the mean over so many turns of all frames, behind as many
        frames      of a turn
        latency     of a frame
    """
    turns = -(-STREAM // frames)
    while turns * frames * (mean := interval(turns)) < FLIGHTS * latency:
        turns *= 2
    return mean
