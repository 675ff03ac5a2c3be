"""The cycle simulator: when every beat of every stream moves, exactly as the RTL moves it.

It knows the graph, the mapping and which sites of each frame are active, never a feature. Each component is a
process that turns the times at which its beats arrive into the times at which it offers its own: recurrences
over beats, rounds and sites, with no step a cycle. A process pauses where a time is not known yet; when all pause
and beats are left, the accelerator would hang, and ``DeadlockError`` says where.

Times are cycles after reset. The processes are in ``stream_times``, ``op_times``, ``window_times`` and ``mask_times``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cosim.active_sites import Walk, walk
from cosim.mask_times import frame_beats, mask_input
from cosim.op_times import TokenStore, elementwise, global_pool, tokens, whole_frames
from cosim.stream_times import (
    Process,
    Stream,
    block_queue,
    block_queue_output,
    fork,
    most_held,
    narrow,
    queue,
    widen,
)
from cosim.window_times import RowStore, SparseRowStore, sparse_windows, windows
from hw.accelerator import Edge, Plan
from hw.layout import MaskLayout
from hw.mapping import Mapping
from hw.op import Op
from hw.ops.elementwise import ElementwiseOp
from hw.ops.global_pool import GlobalPoolOp
from hw.ops.linear import LinearOp
from hw.queue_bounds import least_queue
from hw.stream import queue_latency
from hw.window_op import WindowOp
from models.ir.graph import Add, GlobalPool, Graph, Linear

Frames = int | Sequence[bool | np.ndarray]
"""So many full frames; or of each whether it is full or empty, or its active sites, bool ``[height, width]``."""


class DeadlockError(RuntimeError):
    """The accelerator would stop for ever; the message names what waits."""


@dataclass(frozen=True)
class CycleRun:
    """When frames pass. Every figure is of kind ``simulated``.

    ``latency``: for each frame the cycles from its first beat in to its last token out, the wait for earlier frames
    included. ``intervals``: cycles between the ends of consecutive frames out. ``edges``: for each edge the cycles of
    its ``end`` beats as they leave the producer. ``queues``: for each edge with a queue the most beats it ever held.
    ``input`` and ``output``: when each beat went in and came out.
    """

    latency: list[int]
    intervals: list[int]
    cycles: int
    edges: dict[str, list[int]]
    queues: dict[str, int]
    input: list[int]
    output: list[int]

    @property
    def first_latency(self) -> int:
        """The latency of a frame that finds the accelerator idle."""
        return self.latency[0]

    @property
    def interval(self) -> int:
        """Cycles a frame in steady state; of a single frame, its latency."""
        return self.intervals[-1] if self.intervals else self.latency[-1]


def simulate(graph: Graph, mapping: Mapping, frames: Frames = 1) -> CycleRun:
    """Plays ``frames`` back to back."""
    return _Simulation(Plan(graph, mapping), _masks(graph, frames)).run()


def size_queues(graph: Graph, mapping: Mapping, frames: Frames = 4) -> Mapping:
    """The mapping with the smallest queues on the edges into adds that never hold a beat of ``frames`` back.

    Every branch that meets another gets one, of ``least_queue`` beats or more: no other frame makes a residual network
    hang either, whatever its active sites.
    """
    plan, masks = Plan(graph, mapping), _masks(graph, frames)
    least = {
        f"{a}->{b}": least_queue(graph, a, b, plan.layout(a).beats_per_token) if graph.input.sparse else 2
        for a, b, _ in graph.edges
        if isinstance(graph[b], Add)
    }
    depths = least
    while True:
        # a queue so deep that it goes to block memory shows its beats a cycle later, which may change the others
        endless = _Simulation(Plan(graph, dataclasses.replace(mapping, queues=depths)), masks, endless=True)
        held = {edge: max(least[edge], depth) for edge, depth in endless.run().queues.items()}
        settled = all(queue_latency(held[edge]) == queue_latency(depths[edge]) for edge in depths)
        depths = {edge: max(held[edge], 0 if settled else depths[edge]) for edge in depths}
        if settled:
            return dataclasses.replace(mapping, queues=depths)


def _masks(graph: Graph, frames: Frames) -> list[np.ndarray]:
    """The active sites of each frame."""
    side, full = graph.input.shape[:2], np.ones(graph.input.shape[:2], dtype=bool)
    if isinstance(frames, int):
        frames = [True] * frames
    masks = [full & frame if isinstance(frame, bool) else np.asarray(frame) for frame in frames]
    if not masks:
        raise ValueError("the cycle simulator needs at least one frame")
    for number, mask in enumerate(masks):
        if mask.shape != side or mask.dtype != bool:
            got = f"{mask.dtype} {mask.shape}"
            raise ValueError(f"graph {graph.name!r}, frame {number}: must be True, False or bool {side}, not {got}")
        if not graph.input.sparse and mask.any() != mask.all():
            sites = f"{mask.sum()} of {mask.size}"
            raise ValueError(f"graph {graph.name!r} takes dense frames; frame {number} has {sites} sites active")
    return masks


class _Simulation:
    def __init__(self, plan: Plan, masks: list[np.ndarray], *, endless: bool = False) -> None:
        """``endless``: queues keep their latency and never fill."""
        self.plan, self.masks, self.endless = plan, masks, endless
        self.sites: Walk = walk(plan.graph, masks) if plan.graph.input.sparse else []
        self.processes: dict[str, Process] = {}
        self.queues: dict[str, tuple[Stream, Stream]] = {}
        self.edges: dict[str, Stream] = {}
        self.streams: list[Stream] = []

        graph = plan.graph
        entry: dict[tuple[str, int], Stream] = {}
        for node in graph.nodes:
            stream = self._stream(node.name, node.name, plan.layout(node.name).lanes)
            if node is graph.input:
                self.input = self._input(stream)
            else:
                self._op(plan.ops[node.name], [entry[node.name, n] for n in range(len(node.inputs))], stream)
            readers = plan.readers(node.name)
            branches = [stream]
            if len(readers) + (node.name == graph.output) > 1:
                ways = range(len(readers) + (node.name == graph.output))
                branches = [
                    self._stream(f"{node.name} copy {n}", node.name, plan.layout(node.name).lanes) for n in ways
                ]
                self.processes[f"fork of {node.name}"] = fork(stream, branches)
            for edge, branch in zip(readers, branches, strict=False):
                self.edges[edge.name] = branch
                entry[edge.consumer, edge.index] = self._lead(edge, branch)
            if node.name == graph.output:
                self.output = branches[-1]

    def _input(self, tokens: Stream) -> Stream:
        """The stream into the accelerator, whose source never waits: of the tokens, or of what becomes them."""
        source = self.plan.source
        if isinstance(source, MaskLayout):
            stream = Stream("mask", [frame_beats(source, mask) for mask in self.masks])
            self.processes["mask input"] = mask_input(source, self.masks, stream, tokens)
            return stream
        tokens.offered.extend(range(tokens.total))
        return tokens

    def _stream(self, name: str, producer: str, lanes: int) -> Stream:
        beats = self.plan.graph.shapes[producer].channels // lanes
        stream = Stream(name, [tokens * beats + 1 for tokens in self._tokens(producer)])
        self.streams.append(stream)
        return stream

    def _tokens(self, name: str) -> list[int]:
        """Of each frame, at a node's output."""
        if self.plan.graph.input.sparse:
            return [sites[name].tokens for sites in self.sites]
        shape, always = self.plan.graph.shapes[name], self._always(name)
        return [shape.height * shape.width if always or mask.any() else 0 for mask in self.masks]

    def _always(self, name: str) -> bool:
        """Whether a node has a token even when the frame is empty: it, or one before it, sums whole frames."""
        node = self.plan.graph[name]
        return isinstance(node, GlobalPool | Linear) or any(self._always(before) for before in node.inputs)

    def _lead(self, edge: Edge, stream: Stream) -> Stream:
        """The stream that reaches the consumer of an edge."""
        if edge.queue:
            out = self._stream(f"queue {edge.name}", edge.producer, edge.layout.lanes)
            depth = stream.total if self.endless else edge.queue
            if queue_latency(edge.queue) == 1:
                self.processes[out.name] = queue(stream, out, depth)
            else:
                shown: list[int] = []
                self.processes[out.name] = block_queue(stream, shown, depth)
                self.processes[f"{out.name} output"] = block_queue_output(stream, shown, out)
            self.queues[f"{edge.producer}->{edge.consumer}"] = (stream, out)
            stream = out
        lanes = edge.layout.lanes
        for step in edge.lanes:
            out = self._stream(f"lanes {edge.name} to {step}", edge.producer, step)
            self.processes[out.name] = (
                widen(stream, out, step // lanes) if step > lanes else narrow(stream, out, lanes // step)
            )
            stream, lanes = out, step
        return stream

    def _op(self, op: Op, ins: list[Stream], out: Stream) -> None:
        name = op.node.name
        if isinstance(op, ElementwiseOp):
            self.processes[name] = elementwise(op, ins, out)
        elif isinstance(op, GlobalPoolOp):
            self.processes[name] = global_pool(op, ins[0], out)
        elif isinstance(op, LinearOp):
            store = self._token_store(op, ins[0])
            self.processes[name] = whole_frames(op, store, ins[0], out)
        elif isinstance(op, WindowOp) and op.pointwise:
            store = self._token_store(op, ins[0])
            self.processes[name] = tokens(op, store, ins[0], out)
        elif isinstance(op, WindowOp) and op.inputs[0].sparse:
            before = op.node.inputs[0]
            sparse = SparseRowStore(op, [sites[before].through(op.node)[1] for sites in self.sites])
            self.processes[f"source of {name}"] = sparse.fill(ins[0])
            self.processes[name] = sparse_windows(op, sparse, ins[0], out)
        elif isinstance(op, WindowOp):
            rows = RowStore(op)
            self.processes[f"source of {name}"] = rows.fill(ins[0])
            self.processes[name] = windows(op, rows, ins[0], out)
        else:
            raise TypeError(f"op {name!r}: {type(op).__name__} has no cycle model")

    def _token_store(self, op: LinearOp | WindowOp, i: Stream) -> TokenStore:
        store = TokenStore(op)
        self.processes[f"source of {op.node.name}"] = store.fill(i)
        return store

    def run(self) -> CycleRun:
        out, waiting, idle, before = self.output, dict(self.processes), 0, 0
        while len(out.moved) < out.total:
            for name, process in list(waiting.items()):
                if next(process, True):
                    del waiting[name]
            while len(out.moved) < len(out.offered):
                out.move(0)
            after = sum(len(stream.offered) + len(stream.moved) for stream in self.streams)
            # work inside an op may take one more turn to show on a stream
            idle, before = 0 if after > before else idle + 1, after
            if idle > 2:
                raise DeadlockError(self._stuck())
        ends = out.ends()
        starts = [0, *(end + 1 for end in self.input.ends()[:-1])]
        end_times = [out.moved[end] for end in ends]
        last = [out.moved[end - (beats > 1)] for end, beats in zip(ends, out.beats, strict=True)]
        return CycleRun(
            latency=[b - self.input.moved[a] for a, b in zip(starts, last, strict=True)],
            intervals=[b - a for a, b in pairwise(end_times)],
            cycles=out.moved[-1] + 1,
            edges={name: [s.moved[end] for end in s.ends() if end < len(s.moved)] for name, s in self.edges.items()},
            queues={edge: most_held(*streams) for edge, streams in self.queues.items()},
            input=self.input.moved,
            output=out.moved,
        )

    def _stuck(self) -> str:
        waiting = [
            f"{stream.name}: {len(stream.moved)} of {stream.total} beats moved"
            for stream in self.streams
            if len(stream.moved) < stream.total and len(stream.offered) > len(stream.moved)
        ]
        return f"graph {self.plan.graph.name!r} hangs with this mapping; beats that nobody takes: {'; '.join(waiting)}"
