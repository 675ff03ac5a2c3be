"""From graphs to the optimisation problem: every way to build every node, with its costs on a device."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import NamedTuple

from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Problem
from dse.timing import input_fraction, knee
from hw.accelerator.queue_bounds import min_deadlock_free_depth
from hw.fpga.device import Device, Resources
from hw.fpga.mapping import FrameInput, OpMapping
from hw.ops.op import Op as HwOp
from hw.ops.op import divisors
from hw.ops.registry import build, inputs_of, mappings
from hw.resources.streams import converter_resources, fork_resources, queue_resources
from hw.streams.layout import InputLayout, MaskLayout, TokenLayout, input_layout
from hw.streams.mask_input import mask_input_resources, mask_latency
from hw.streams.stream import converter_lanes
from models.ir.activity import Activity, Load, expected_activity
from models.ir.dtype import DType
from models.ir.graph import Graph
from models.ir.node import Node
from models.ir.ops.input import Input

ERROR_UNIT = 1e-6
"""The problem counts errors in whole millionths."""


class CandidateError(ValueError):
    """Graphs or sensitivities that do not fit each other; the message names the node or the format."""


class OpChoice(NamedTuple):
    """How a node is built.

    Parameters
        format   name of the node's own format; None where it has none
        mapping  the node's mapping
    """

    format: str | None
    mapping: OpMapping


def amounts(resources: Resources) -> tuple[int, ...]:
    """The amounts of resources, in the order of ``Resources.names``.

    Parameters
        resources  amounts by kind
    """
    return tuple(getattr(resources, kind) for kind in Resources.names())


def budget(resources: Resources) -> dict[str, int]:
    """The amounts of resources by name, as ``Problem.budget`` has them.

    Parameters
        resources  amounts by kind
    """
    return {kind: getattr(resources, kind) for kind in Resources.names()}


def input_candidate(
    source: InputLayout, work: Activity, device: Device, extra: Resources, choice: OpChoice
) -> Candidate:
    """The candidate of the graph's input, whose source never stalls.

    Frames arrive as tokens, or as bit masks from which the mask input makes tokens.

    Parameters
        source  layout of what arrives
        work    activity of the input node
        device  the device
        extra   resources of the fork after the input
        choice  how the node is built, for ``Candidate.choice``
    """
    words = fill = 0
    if isinstance(source, MaskLayout):
        words, fill = source.words, source.words + mask_latency(source)
        extra += mask_input_resources(source, device)
        layout = source.tokens
    else:
        layout = source
    beats = round(work.tokens_in * layout.beats_per_token)
    writes = Interface(layout.lanes, str(layout.dtype))
    return Candidate(choice, words + beats + 1, amounts(extra), writes, fill=fill, duration=max(0, beats - 1))


def op_candidate(
    op: HwOp, work: Activity, device: Device, extra: Resources, choice: OpChoice, error: int = 0
) -> Candidate:
    """The candidate of an op.

    Parameters
        op      the op with its mapping
        work    activity of the op's node
        device  the device
        extra   resources to add to those of the op, such as a fork's
        choice  how the node is built, for ``Candidate.choice``
        error   error of the node's format, in units of ``ERROR_UNIT``
    """
    t = op.latency(work)
    reads = tuple(Interface(op.in_lanes, str(tensor.dtype)) for tensor in op.inputs)
    used = amounts(op.resources(device) + extra)
    writes = Interface(op.out_lanes, str(op.node.dtype))
    return Candidate(
        choice, op.cycles(work), used, writes, reads, t.fill, t.first_output, t.duration, t.drain, error, t.rest
    )


def link(layout: TokenLayout, lanes: int, depth: int, device: Device) -> Link:
    """A FIFO, and behind it the stream width converters from ``layout`` to ``lanes``.

    Parameters
        layout  token layout that the producer writes
        lanes   lanes that the consumer reads
        depth   FIFO depth in beats; 0 for no FIFO
        device  the device
    """
    steps = converter_lanes(layout.lanes, lanes)
    used = queue_resources(layout, depth, device) if depth else Resources()
    for step in steps:
        used += converter_resources(layout, step, device)
        layout = TokenLayout(layout.shape, layout.dtype, step)
    return Link(amounts(used), len(steps) + bool(depth))


def forks(graph: Graph, name: str, layout: TokenLayout, device: Device) -> Resources:
    """Resources of the fork that copies a node's stream to all its consumers; none where there is one consumer.

    The output of the graph counts as a consumer.

    Parameters
        graph   the graph
        name    name of the node
        layout  token layout of the node's output
        device  the device
    """
    copies = len(graph.consumers(name)) + (graph.output == name)
    return fork_resources(layout, copies, device) if copies > 1 else Resources()


def queue_beats(graph: Graph, producer: str, consumer: str, layout: TokenLayout) -> int:
    """Estimated depth in beats of the FIFO on an edge into an add; 0 on any other edge.

    The paths into an add can hold different fractions of a frame in their line buffers, and the FIFO stores the
    difference. For sparse graphs the depth also excludes deadlock, whatever pixels are active. The cycle simulator
    finds the exact depth of a finished design.

    Parameters
        graph     the graph
        producer  name of the node that writes the edge
        consumer  name of the node that reads the edge
        layout    token layout on the edge
    """
    if graph[consumer].arity == 1:
        return 0
    stored, words = _stored_fraction(graph), layout.beats_per_token
    ahead = max(stored[name] for name in graph[consumer].inputs) - stored[producer]
    beats = 2 + round(ahead * layout.shape.height * layout.shape.width) * words
    return max(beats, min_deadlock_free_depth(graph, producer, consumer, words)) if graph.input.sparse else beats


def _stored_fraction(graph: Graph) -> dict[str, Fraction]:
    """The fraction of a frame that the longest path to each node can hold, by node."""
    stored: dict[str, Fraction] = {}
    for node in graph.nodes:
        own, window = Fraction(int(node.takes_frame)), node.window
        if window is not None and not window.pointwise:
            rows = window.y.span + window.y.stride - 1
            own = min(Fraction(1), Fraction(rows, graph.shapes[node.inputs[0]].height))
        stored[node.name] = own + max((stored[name] for name in node.inputs), default=Fraction(0))
    return stored


@dataclass(frozen=True)
class Table:
    """All candidates of one network on one device.

    Parameters
        graphs       the network quantized at one format throughout, by format name; a node at a format is taken from
                     that graph
        device       the device
        errors       error of each node at each format, by node and format name; 0 where absent
        load         frame of a data set that the costs refer to; sparse graphs hold the activity of such frames
        frame_input  how frames enter the accelerator
    Raises           CandidateError: when the graphs have different nodes, or ``errors`` names a node without a format
    """

    graphs: Mapping[str, Graph]
    device: Device
    errors: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    load: Load = "mean"
    frame_input: FrameInput = FrameInput.TOKENS

    def __post_init__(self) -> None:
        first = next(iter(self.graphs.values()))
        for name, graph in self.graphs.items():
            for a, b in zip(first.nodes, graph.nodes, strict=False):
                shapes = first.shapes[a.name], graph.shapes[b.name]
                if (a.name, a.op, a.inputs, shapes[0]) != (b.name, b.op, b.inputs, shapes[1]):
                    raise CandidateError(f"graph at {name}: node {b.name!r} is not {a.name!r} of the other formats")
            if len(first.nodes) != len(graph.nodes) or first.output != graph.output:
                raise CandidateError(f"graph at {name}: has {len(graph.nodes)} nodes, others {len(first.nodes)}")
        for layer in self.errors:
            if layer not in self.layers:
                raise CandidateError(f"errors: {layer!r} is no node with a format; those are {', '.join(self.layers)}")

    @property
    def graph(self) -> Graph:
        """The first of the graphs, for what is the same in all of them."""
        return next(iter(self.graphs.values()))

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The names of the nodes that own a format."""
        return tuple(node.name for node in self.graph.nodes if node.owns_format)

    @cached_property
    def _work(self) -> Mapping[str, Activity]:
        return expected_activity(self.graph, self.load)

    @cached_property
    def _dtypes(self) -> dict[str, tuple[DType, ...]]:
        """Each node's possible output formats."""
        dtypes: dict[str, tuple[DType, ...]] = {}
        for node in self.graph.nodes:
            if node.owns_format:
                dtypes[node.name] = tuple(dict.fromkeys(graph[node.name].dtype for graph in self.graphs.values()))
            else:
                dtypes[node.name] = dtypes[node.inputs[0]] if node.inputs else (node.dtype,)
        return dtypes

    @cached_property
    def candidates(self) -> dict[str, tuple[Candidate, ...]]:
        """All candidates of each node, by node name."""
        return {node.name: tuple(self._candidates(node)) for node in self.graph.nodes}

    def _candidates(self, node: Node) -> list[Candidate]:
        work = self._work[node.name]
        if isinstance(node, Input):
            layouts = [TokenLayout(node.shape, node.dtype, lanes) for lanes in divisors(node.shape.channels)]
            return [
                input_candidate(
                    input_layout(layout, self.frame_input), work, self.device, self._forks(layout, node.name),
                    OpChoice(None, OpMapping(layout.lanes)),
                )
                for layout in layouts
            ]  # fmt: skip
        inputs = inputs_of(self.graph, node)
        candidates = []
        for dtypes in product(*(self._dtypes[name] for name in node.inputs)):
            tensors = tuple(tensor._replace(dtype=dtype) for tensor, dtype in zip(inputs, dtypes, strict=True))
            for own, variant in self._variants(node, dtypes[0]):
                error = round(max(0.0, self.errors.get(node.name, {}).get(own or "", 0.0)) / ERROR_UNIT)
                for mapping in mappings(variant, tensors, self.device):
                    op = build(variant, tensors, mapping)
                    extra = self._forks(op.out_layout, node.name)
                    candidates.append(op_candidate(op, work, self.device, extra, OpChoice(own, mapping), error))
        return candidates

    def _variants(self, node: Node, dtype: DType) -> list[tuple[str | None, Node]]:
        """The node at each of its formats; one without a format is from a graph where its input is ``dtype``."""
        if node.owns_format:
            return [(name, graph[node.name]) for name, graph in self.graphs.items()]
        graph = next(graph for graph in self.graphs.values() if graph[node.name].dtype == dtype)
        return [(None, graph[node.name])]

    def _forks(self, layout: TokenLayout, name: str) -> Resources:
        return forks(self.graph, name, layout, self.device)

    @cached_property
    def edges(self) -> tuple[MilpEdge, ...]:
        """The edges of the graph with their links."""
        return tuple(MilpEdge(a, b, i, self._links(a, b, i)) for a, b, i in self.graph.edges)

    def _links(self, producer: str, consumer: str, index: int) -> dict[tuple[Interface, Interface], Link]:
        """The links of an edge, by pair of interfaces.

        Lane counts of which neither divides the other get no link: their converter is slower than both ends.
        """
        producer_interfaces = sorted({candidate.writes for candidate in self.candidates[producer]})
        consumer_interfaces = sorted({candidate.reads[index] for candidate in self.candidates[consumer]})
        links = {}
        for writes, reads in product(producer_interfaces, consumer_interfaces):
            if writes.format == reads.format and len(converter_lanes(writes.lanes, reads.lanes)) < 2:
                layout = self.layout(producer, writes)
                depth = queue_beats(self.graph, producer, consumer, layout)
                links[writes, reads] = link(layout, reads.lanes, depth, self.device)
        return links

    def layout(self, name: str, writes: Interface) -> TokenLayout:
        """The token layout of a node's output through one of its interfaces."""
        dtype = next(dtype for dtype in self._dtypes[name] if str(dtype) == writes.format)
        return TokenLayout(self.graph.shapes[name], dtype, writes.lanes)

    def problem(
        self, limit: Resources, *, formats: Mapping[str, Collection[str]] | None = None, max_error: float | None = None,
        max_cycles: int | None = None, max_latency: int | None = None,
    ) -> Problem:  # fmt: skip
        """The optimisation problem under ``limit``.

        Parameters
            limit        resources that may be used
            formats      names of the formats that each node may take, by node; all formats where a node is absent
            max_error    limit of the summed error, in the unit of ``errors``
            max_cycles   limit of the bottleneck in cycles per frame
            max_latency  limit of the latency in cycles
        Raises           CandidateError: when none of a node's allowed formats has a graph
        """
        ops = []
        for node in self.graph.nodes:
            allowed = (formats or {}).get(node.name, self.graphs)
            candidates = tuple(c for c in self.candidates[node.name] if _build(c).format in (None, *allowed))
            if not candidates:
                valid = ", ".join(self.graphs)
                raise CandidateError(f"formats of {node.name!r}: {list(allowed)} have no graph; {valid} do")
            work = self._work[node.name]
            ops.append(MilpOp(node.name, candidates, input_fraction(node, work), knee(node, work)))
        cap = None if max_error is None else round(max_error / ERROR_UNIT)
        return Problem(
            self.device.name, tuple(ops), self.edges, self.graph.output, budget(limit), max_cycles, cap, max_latency
        )


def _build(candidate: Candidate) -> OpChoice:
    assert isinstance(candidate.choice, OpChoice)
    return candidate.choice
