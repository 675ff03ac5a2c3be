"""The composed accelerator: one op a node, joined by streams, forks, queues and lane converters.

::

    i -> [mask input] -> op -> [fork] -> [queue] -> [converter] -> op -> ... -> o

Frames follow each other without a gap or a drain, and every edge keeps the stream contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.layout import InputLayout, TokenLayout, input_layout
from hw.mapping import Mapping
from hw.mask_input import MaskInput
from hw.op import Op
from hw.registry import build_all
from hw.stream import Fork, Queue, conversion, converter
from models.ir.graph import Graph


@dataclass(frozen=True)
class Edge:
    """A stream from ``producer`` to input ``index`` of ``consumer``; ``layout`` is that of the producer's beats.

    It goes through a queue of ``queue`` beats (none when 0), then through converters to each of ``lanes``.
    """

    producer: str
    consumer: str
    index: int
    layout: TokenLayout
    queue: int
    lanes: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{self.producer}__{self.consumer}_{self.index}"


@dataclass(frozen=True)
class Plan:
    """What an accelerator is made of: the graph, its mapping, the op of each node, the edges between them."""

    graph: Graph
    mapping: Mapping

    @cached_property
    def ops(self) -> dict[str, Op]:
        return build_all(self.graph, dict(self.mapping.ops))

    @cached_property
    def input(self) -> TokenLayout:
        node = self.graph.input
        return TokenLayout(node.shape, node.dtype, self.mapping.ops[node.name].pe)

    @cached_property
    def source(self) -> InputLayout:
        """What the accelerator's input stream carries; ``input`` is the tokens it becomes."""
        return input_layout(self.input, self.mapping.frame_input)

    @property
    def output(self) -> TokenLayout:
        return self.layout(self.graph.output)

    def layout(self, name: str) -> TokenLayout:
        """The layout of the stream that node ``name`` produces."""
        return self.input if name == self.graph.input.name else self.ops[name].out_layout

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        edges = []
        for producer, consumer, index in self.graph.edges:
            layout = self.layout(producer)
            lanes = conversion(layout.lanes, self.ops[consumer].in_lanes)
            queue = self.mapping.queues.get(f"{producer}->{consumer}", 0)
            edges.append(Edge(producer, consumer, index, layout, queue, tuple(lanes)))
        return tuple(edges)

    def readers(self, name: str) -> list[Edge]:
        return [edge for edge in self.edges if edge.producer == name]


class Accelerator(wiring.Component):
    """In ``i``, frames of the graph's input, laid out as ``plan.source`` says; out ``o``, frames of its output.

    With ``probes``, outputs ``edge_<producer>__<consumer>_<index>__payload``, ``__valid`` and ``__ready`` show every
    edge as it leaves its producer. Reset drops everything.
    """

    def __init__(self, graph: Graph, mapping: Mapping, probes: bool = False) -> None:
        self.plan, self.probes = Plan(graph, mapping), probes
        ports = {"i": In(self.plan.source.signature), "o": Out(self.plan.output.signature)}
        for edge in self.plan.edges if probes else ():
            for field, width in (("payload", edge.layout.width), ("valid", 1), ("ready", 1)):
                ports[f"edge_{edge.name}__{field}"] = Out(width)
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, graph = self.plan, self.plan.graph
        ops = {name: op.component() for name, op in plan.ops.items()}
        for name, component in ops.items():
            m.submodules[name] = component
        for node in graph.nodes:
            source = self._entry(m) if node is graph.input else ops[node.name].o
            readers = plan.readers(node.name)
            sinks = [self._lead(m, edge, ops) for edge in readers]
            if node.name == graph.output:
                sinks.append(wiring.flipped(self.o))
            if len(sinks) == 1:
                wiring.connect(m, source, sinks[0])
                continue
            m.submodules[f"fork_{node.name}"] = fork = Fork(plan.layout(node.name).struct, len(sinks))
            wiring.connect(m, source, fork.i)
            for way, sink in enumerate(sinks):
                wiring.connect(m, getattr(fork, f"o{way}"), sink)
        return m

    def _entry(self, m: Module):
        """The stream of the graph's input frames as tokens."""
        if isinstance(self.plan.source, TokenLayout):
            return wiring.flipped(self.i)
        m.submodules.mask_input = entry = MaskInput(self.plan.source)
        wiring.connect(m, wiring.flipped(self.i), entry.i)
        return entry.o

    def _lead(self, m: Module, edge: Edge, ops: dict[str, wiring.Component]):
        """The stream interface that an edge's beats enter, on their way to its consumer."""
        parts: list[wiring.Component] = []
        if edge.queue:
            parts.append(Queue(edge.layout.struct, edge.queue))
            m.submodules[f"queue_{edge.name}"] = parts[0]
        layout = edge.layout
        for step, lanes in enumerate(edge.lanes):
            part = converter(layout, lanes)
            m.submodules[f"lanes_{edge.name}_{step}"] = part
            parts.append(part)
            layout = part.out
        name = self.plan.ops[edge.consumer].input_names[edge.index]
        sinks = [*(part.i for part in parts), getattr(ops[edge.consumer], name)]
        for part, sink in zip(parts, sinks[1:], strict=True):
            wiring.connect(m, part.o, sink)
        if self.probes:
            for field in ("payload", "valid", "ready"):
                value = getattr(sinks[0], field)
                value = value.as_value() if field == "payload" else value
                m.d.comb += getattr(self, f"edge_{edge.name}__{field}").eq(value)
        return sinks[0]
