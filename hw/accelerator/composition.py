"""The composed accelerator: one op per node, connected by streams, forks, queues and lane converters.

::

    i -> [mask input] -> op -> [fork] -> [queue] -> [converter] -> op -> ... -> o

Frames follow each other without a gap, and no op has to drain between two frames. Every edge keeps the stream
contract of ``hw.streams.stream``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.fpga.mapping import Mapping
from hw.ops.op import Op
from hw.ops.registry import build_all
from hw.streams.layout import InputLayout, TokenLayout, input_layout
from hw.streams.mask_input import MaskInput
from hw.streams.stream import Fork, Queue, converter, converter_lanes
from models.ir.graph import Graph


@dataclass(frozen=True)
class Edge:
    """A stream from one node to an input of another, with the queue and the lane converters on its way.

    Parameters
        producer   name of the node that writes the stream
        consumer   name of the node that reads it
        index      which input of ``consumer`` it is, from 0
        layout     layout of the producer's beats
        queue      depth of the queue, in beats; 0 means no queue
        lanes      lane counts after the queue, one per converter; empty means no converter
    """

    producer: str
    consumer: str
    index: int
    layout: TokenLayout
    queue: int
    lanes: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of the edge in the Verilog, after the prefix ``edge_``."""
        return f"{self.producer}__{self.consumer}_{self.index}"


@dataclass(frozen=True)
class AcceleratorPlan:
    """The parts of an accelerator: the layouts of its streams, the op of each node and the edges between them.

    Parameters
        graph      the network
        mapping    one entry per node of ``graph``
    """

    graph: Graph
    mapping: Mapping

    @cached_property
    def ops(self) -> dict[str, Op]:
        """The op of each node but the input, by node name."""
        return build_all(self.graph, dict(self.mapping.ops))

    @cached_property
    def input(self) -> TokenLayout:
        """Token layout of the graph's input."""
        node = self.graph.input
        return TokenLayout(node.shape, node.dtype, self.mapping.ops[node.name].pe)

    @cached_property
    def input_layout(self) -> InputLayout:
        """Layout of the accelerator's input stream; it differs from ``input`` where frames arrive as bit-masks."""
        return input_layout(self.input, self.mapping.frame_input)

    @property
    def output(self) -> TokenLayout:
        """Token layout of the accelerator's output stream."""
        return self.layout(self.graph.output)

    def layout(self, name: str) -> TokenLayout:
        """The layout of the stream that node ``name`` produces."""
        return self.input if name == self.graph.input.name else self.ops[name].out_layout

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All edges of the graph, with their queues and lane converters."""
        edges = []
        for producer, consumer, index in self.graph.edges:
            layout = self.layout(producer)
            lanes = converter_lanes(layout.lanes, self.ops[consumer].in_lanes)
            queue = self.mapping.queues.get(f"{producer}->{consumer}", 0)
            edges.append(Edge(producer, consumer, index, layout, queue, tuple(lanes)))
        return tuple(edges)

    def consumers(self, name: str) -> list[Edge]:
        """The edges that leave node ``name``."""
        return [edge for edge in self.edges if edge.producer == name]


class AcceleratorTop(wiring.Component):
    """The whole accelerator of a graph, without AXI.

    Parameters
        graph      the network
        mapping    one entry per node of ``graph``
        probes     whether the accelerator has the ports ``edge_...``
    Ports
        i          in, frames of the graph's input, in the layout ``plan.input_layout``
        o          out, frames of the graph's output, in the layout ``plan.output``
        edge_...   out, ``edge_<producer>__<consumer>_<index>__payload``, ``...__valid`` and ``...__ready``: the stream
                   of each edge where it leaves its producer
    Reset          drops all frames, in every op and queue
    """

    def __init__(self, graph: Graph, mapping: Mapping, probes: bool = False) -> None:
        self.plan, self.probes = AcceleratorPlan(graph, mapping), probes
        ports = {"i": In(self.plan.input_layout.signature), "o": Out(self.plan.output.signature)}
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
            source = self._input_tokens(m) if node is graph.input else ops[node.name].o
            consumers = plan.consumers(node.name)
            sinks = [self._connect_edge(m, edge, ops) for edge in consumers]
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

    def _input_tokens(self, m: Module):
        """The input frames as a stream of tokens."""
        if isinstance(self.plan.input_layout, TokenLayout):
            return wiring.flipped(self.i)
        m.submodules.mask_input = entry = MaskInput(self.plan.input_layout)
        wiring.connect(m, wiring.flipped(self.i), entry.i)
        return entry.o

    def _connect_edge(self, m: Module, edge: Edge, ops: dict[str, wiring.Component]):
        """Build an edge's queue and converters, connect them to its consumer, and return the first stream to drive."""
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
