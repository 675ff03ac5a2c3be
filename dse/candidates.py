"""From graphs to the problem: every way to build every node, with what it costs on a device."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import NamedTuple

from dse.problem import Candidate, Edge, Interface, Link, Op, Problem
from dse.timing import knee, lead, times
from hw.device import Device, Resources
from hw.layout import InputLayout, MaskLayout, TokenLayout, input_layout
from hw.mapping import FrameInput, OpMapping
from hw.mask_input import mask_input_resources, mask_latency
from hw.op import Op as HwOp
from hw.op import divisors
from hw.queue_bounds import least_queue
from hw.registry import build, inputs_of, mappings
from hw.resources.streams import converter_resources, fork_resources, queue_resources
from hw.stream import conversion
from models.ir.activity import Activity, Load, expected
from models.ir.dtype import DType
from models.ir.graph import Add, GlobalPool, Graph, Input, Linear, MaxPool, Node, Window

ERROR_UNIT = 1e-6
"""Errors are counted in whole millionths."""


class CandidateError(ValueError):
    """Graphs or sensitivities that do not fit each other; the message names node or format."""


class Build(NamedTuple):
    """How a node is built: its own format, None where it has none, and its mapping."""

    format: str | None
    mapping: OpMapping


def amounts(resources: Resources) -> tuple[int, ...]:
    return tuple(getattr(resources, kind) for kind in Resources.names())


def budget(resources: Resources) -> dict[str, int]:
    return {kind: getattr(resources, kind) for kind in Resources.names()}


def owns_format(node: Node) -> bool:
    """Whether an assignment gives the node a format; else it has its input's, or the data set's."""
    return not isinstance(node, Input | MaxPool)


def input_candidate(source: InputLayout, work: Activity, device: Device, extra: Resources, choice: Build) -> Candidate:
    """The graph's input, whose source never waits: tokens as they come, or the mask input that makes them."""
    words = fill = 0
    if isinstance(source, MaskLayout):
        words, fill = source.words, source.words + mask_latency(source)
        extra += mask_input_resources(source, device)
        layout = source.tokens
    else:
        layout = source
    beats = round(work.tokens_in * layout.beats_per_token)
    writes = Interface(layout.lanes, str(layout.dtype))
    return Candidate(choice, words + beats + 1, amounts(extra), writes, fill=fill, span=max(0, beats - 1))


def op_candidate(
    op: HwOp, work: Activity, device: Device, extra: Resources, choice: Build, error: int = 0
) -> Candidate:
    """An op and what ``extra`` it needs beside it."""
    t = times(op, work)
    reads = tuple(Interface(op.in_lanes, str(tensor.dtype)) for tensor in op.inputs)
    used = amounts(op.resources(device) + extra)
    writes = Interface(op.out_lanes, str(op.node.dtype))
    return Candidate(choice, op.cycles(work), used, writes, reads, t.fill, t.head, t.span, t.tail, error, t.rest)


def link(layout: TokenLayout, lanes: int, depth: int, device: Device) -> Link:
    """A queue of ``depth`` beats (none when 0), and the converters from ``layout`` to ``lanes``."""
    steps = conversion(layout.lanes, lanes)
    used = queue_resources(layout, depth, device) if depth else Resources()
    for step in steps:
        used += converter_resources(layout, step, device)
        layout = TokenLayout(layout.shape, layout.dtype, step)
    return Link(amounts(used), len(steps) + bool(depth))


def forks(graph: Graph, name: str, layout: TokenLayout, device: Device) -> Resources:
    """What it takes to give a node's stream to all who read it."""
    ways = len(graph.users(name)) + (graph.output == name)
    return fork_resources(layout, ways, device) if ways > 1 else Resources()


def queue_beats(graph: Graph, producer: str, consumer: str, layout: TokenLayout) -> int:
    """About how many beats wait before an add for its other input; 0 elsewhere.

    By how much of a frame the ways from the input can keep in their line buffers; of sparse frames no less than what
    keeps every frame from hanging. The cycle simulator finds the exact depth for one design.
    """
    if not isinstance(graph[consumer], Add):
        return 0
    kept, words = _kept(graph), layout.beats_per_token
    ahead = max(kept[name] for name in graph[consumer].inputs) - kept[producer]
    beats = 2 + round(ahead * layout.shape.height * layout.shape.width) * words
    return max(beats, least_queue(graph, producer, consumer, words)) if graph.input.sparse else beats


def _kept(graph: Graph) -> dict[str, Fraction]:
    """The share of a frame that the longest way to each node can keep."""
    kept: dict[str, Fraction] = {}
    for node in graph.nodes:
        own = Fraction(int(isinstance(node, GlobalPool | Linear)))
        if isinstance(node, Window) and (node.kernel, node.stride) != (1, 1):
            own = min(Fraction(1), Fraction(node.kernel + node.stride - 1, graph.shapes[node.inputs[0]].height))
        kept[node.name] = own + max((kept[name] for name in node.inputs), default=Fraction(0))
    return kept


@dataclass(frozen=True)
class Table:
    """Every candidate of one network on one device.

    ``graphs``: the network quantized at one format throughout, by that format's name; a node built at a format
    is taken from that graph. ``errors``: what each format costs each node, by node and format; 0 where absent.
    ``load``: which of the frames of a data set costs are for, where the graphs are sparse and hold its activity.
    ``frame_input``: how frames come into the accelerator.
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
        """Any of the graphs, where they are all the same."""
        return next(iter(self.graphs.values()))

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The nodes that own a format."""
        return tuple(node.name for node in self.graph.nodes if owns_format(node))

    @cached_property
    def _work(self) -> Mapping[str, Activity]:
        return expected(self.graph, self.load)

    @cached_property
    def _dtypes(self) -> dict[str, tuple[DType, ...]]:
        """Each node's possible output formats."""
        found: dict[str, tuple[DType, ...]] = {}
        for node in self.graph.nodes:
            if owns_format(node):
                found[node.name] = tuple(dict.fromkeys(graph[node.name].dtype for graph in self.graphs.values()))
            else:
                found[node.name] = found[node.inputs[0]] if node.inputs else (node.dtype,)
        return found

    @cached_property
    def candidates(self) -> dict[str, tuple[Candidate, ...]]:
        return {node.name: tuple(self._candidates(node)) for node in self.graph.nodes}

    def _candidates(self, node: Node) -> list[Candidate]:
        work = self._work[node.name]
        if isinstance(node, Input):
            layouts = [TokenLayout(node.shape, node.dtype, lanes) for lanes in divisors(node.shape.channels)]
            return [
                input_candidate(
                    input_layout(layout, self.frame_input), work, self.device, self._forks(layout, node.name),
                    Build(None, OpMapping(layout.lanes)),
                )
                for layout in layouts
            ]  # fmt: skip
        inputs = inputs_of(self.graph, node)
        found = []
        for dtypes in product(*(self._dtypes[name] for name in node.inputs)):
            tensors = tuple(tensor._replace(dtype=dtype) for tensor, dtype in zip(inputs, dtypes, strict=True))
            for own, variant in self._variants(node, dtypes[0]):
                error = round(max(0.0, self.errors.get(node.name, {}).get(own or "", 0.0)) / ERROR_UNIT)
                for mapping in mappings(variant, tensors, self.device):
                    op = build(variant, tensors, mapping)
                    extra = self._forks(op.out_layout, node.name)
                    found.append(op_candidate(op, work, self.device, extra, Build(own, mapping), error))
        return found

    def _variants(self, node: Node, dtype: DType) -> list[tuple[str | None, Node]]:
        """The node at each of its formats; without one, as it stands in a graph that gives its input ``dtype``."""
        if owns_format(node):
            return [(name, graph[node.name]) for name, graph in self.graphs.items()]
        graph = next(graph for graph in self.graphs.values() if graph[node.name].dtype == dtype)
        return [(None, graph[node.name])]

    def _forks(self, layout: TokenLayout, name: str) -> Resources:
        return forks(self.graph, name, layout, self.device)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        return tuple(Edge(a, b, i, self._links(a, b, i)) for a, b, i in self.graph.edges)

    def _links(self, producer: str, consumer: str, index: int) -> dict[tuple[Interface, Interface], Link]:
        """Lane counts of which neither divides the other are left out: their converter is slower than both ends."""
        writers = sorted({candidate.writes for candidate in self.candidates[producer]})
        readers = sorted({candidate.reads[index] for candidate in self.candidates[consumer]})
        links = {}
        for writer, reader in product(writers, readers):
            if writer.format == reader.format and len(conversion(writer.lanes, reader.lanes)) < 2:
                layout = self.layout(producer, writer)
                depth = queue_beats(self.graph, producer, consumer, layout)
                links[writer, reader] = link(layout, reader.lanes, depth, self.device)
        return links

    def layout(self, name: str, writes: Interface) -> TokenLayout:
        """The layout of a node's output through one of its interfaces."""
        dtype = next(dtype for dtype in self._dtypes[name] if str(dtype) == writes.format)
        return TokenLayout(self.graph.shapes[name], dtype, writes.lanes)

    def problem(
        self, limit: Resources, *, formats: Mapping[str, Collection[str]] | None = None, max_error: float | None = None,
        max_cycles: int | None = None, max_latency: int | None = None,
    ) -> Problem:  # fmt: skip
        """The problem under ``limit``.

        ``formats``: those that each node may take, by node; any of ``graphs`` where absent.
        """
        ops = []
        for node in self.graph.nodes:
            allowed = (formats or {}).get(node.name, self.graphs)
            candidates = tuple(c for c in self.candidates[node.name] if _build(c).format in (None, *allowed))
            if not candidates:
                valid = ", ".join(self.graphs)
                raise CandidateError(f"formats of {node.name!r}: {list(allowed)} have no graph; {valid} do")
            work = self._work[node.name]
            ops.append(Op(node.name, candidates, lead(node, work), knee(node, work)))
        cap = None if max_error is None else round(max_error / ERROR_UNIT)
        return Problem(
            self.device.name, tuple(ops), self.edges, self.graph.output, budget(limit), max_cycles, cap, max_latency
        )


def _build(candidate: Candidate) -> Build:
    assert isinstance(candidate.choice, Build)
    return candidate.choice
