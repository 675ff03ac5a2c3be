"""What one accelerator costs: the figures of the problem, of a graph and a mapping as they are."""

from __future__ import annotations

from fractions import Fraction

from dse.candidates import Build, budget, forks, input_candidate, link, op_candidate
from dse.problem import Edge, Evaluation, Interface, Op, Problem, evaluate
from dse.timing import lead
from hw.accelerator import Plan
from hw.device import Device
from hw.mapping import Mapping
from models.ir.activity import Load, expected
from models.ir.graph import Graph


def estimate(graph: Graph, mapping: Mapping, device: Device, load: Load = "mean") -> Evaluation:
    """Bottleneck, latency of a frame that finds the accelerator idle, and resources, queues and converters
    included. Every figure is of kind ``estimated``; ``overrun`` is against the whole device. ``load``: which frame of
    a data set the cycles are for, where the graph is sparse and holds its activity."""
    plan, work = Plan(graph, mapping), expected(graph, load)
    ops = []
    for node in graph.nodes:
        layout, choice = plan.layout(node.name), Build(None, mapping.ops[node.name])
        extra = forks(graph, node.name, layout, device)
        if node is graph.input:
            own, waits = input_candidate(plan.source, work[node.name], device, extra, choice), Fraction(0)
        else:
            own = op_candidate(plan.ops[node.name], work[node.name], device, extra, choice)
            waits = lead(node, graph.shapes[node.inputs[0]], work[node.name])
        ops.append(Op(node.name, (own,), waits))
    edges = []
    for edge in plan.edges:
        lanes, name = plan.ops[edge.consumer].in_lanes, str(edge.layout.dtype)
        pair = Interface(edge.layout.lanes, name), Interface(lanes, name)
        links = {pair: link(edge.layout, lanes, edge.queue, device)}
        edges.append(Edge(edge.producer, edge.consumer, edge.index, links))
    problem = Problem(device.name, tuple(ops), tuple(edges), graph.output, budget(device.resources))
    return evaluate(problem, {op.name: op.candidates[0] for op in ops})
