"""The cycle simulator: when every beat of every stream moves, exactly as the RTL moves it.

It knows the graph, the mapping and which frames are empty, never a feature. Each component is a
process that turns the times at which its beats arrive into the times at which it offers its own: recurrences
over beats, rounds and sites, with no step a cycle. A process pauses where a time is not known yet; when all pause
and beats are left, the accelerator would hang, and ``DeadlockError`` says where.

Times are cycles after reset. A beat moves in cycle ``moved[n]``: the first in which its producer offers it
(``offered[n]``) and its consumer takes it.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from hw.accelerator import Edge, Plan
from hw.mapping import Mapping
from hw.op import Op
from hw.ops.elementwise import ElementwiseOp
from hw.ops.global_pool import GlobalPoolOp
from hw.ops.linear import LinearOp
from hw.source import FRAMES_AHEAD, RELEASE_DELAY, WindowGeometry, token_slots
from hw.stream import queue_latency
from hw.window_op import WindowOp
from models.ir.graph import Add, GlobalPool, Graph, Linear


class DeadlockError(RuntimeError):
    """The accelerator would stop for ever; the message names what waits."""


@dataclass
class Stream:
    """The beats of one stream. ``beats``: of each frame, its ``end`` included (1 for an empty frame)."""

    name: str
    beats: list[int]
    offered: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.beats)

    def move(self, ready: int) -> int:
        """Take the next beat, in cycle ``ready`` at the earliest."""
        n = len(self.moved)
        time = max(self.offered[n], ready)
        if n:
            time = max(time, self.moved[-1] + 1)
        self.moved.append(time)
        return time

    def ends(self) -> list[int]:
        """The number of each frame's ``end`` beat."""
        total, ends = -1, []
        for beats in self.beats:
            total += beats
            ends.append(total)
        return ends


Process = Iterator[None]
"""Pauses with a bare yield while a time it needs is unknown."""


@dataclass(frozen=True)
class CycleRun:
    """When frames pass. Every figure is of kind ``simulated``.

    ``latency``: for each frame the cycles from its first beat in to its last token out, the wait for earlier frames
    included. ``intervals``: cycles between the ends of consecutive frames out. ``edges``: for each edge the cycles of
    its ``end`` beats as they leave the producer. ``queues``: for each edge with a queue the most beats it ever held.
    """

    latency: list[int]
    intervals: list[int]
    cycles: int
    edges: dict[str, list[int]]
    queues: dict[str, int]

    @property
    def first_latency(self) -> int:
        """The latency of a frame that finds the accelerator idle."""
        return self.latency[0]

    @property
    def interval(self) -> int:
        """Cycles a frame in steady state; of a single frame, its latency."""
        return self.intervals[-1] if self.intervals else self.latency[-1]


def simulate(graph: Graph, mapping: Mapping, frames: int | Sequence[bool] = 1) -> CycleRun:
    """Plays ``frames`` back to back: so many full ones, or True for each full and False for each empty one."""
    full = [True] * frames if isinstance(frames, int) else list(frames)
    if not full:
        raise ValueError("the cycle simulator needs at least one frame")
    return _Simulation(Plan(graph, mapping), full).run()


def size_queues(graph: Graph, mapping: Mapping, frames: int = 4) -> Mapping:
    """The mapping with the smallest queues on the edges into adds that never hold a beat back.

    Every branch that meets another gets one, so residual networks cannot deadlock.
    """
    depths = {f"{a}->{b}": 2 for a, b, _ in graph.edges if isinstance(graph[b], Add)}
    while True:
        # a queue so deep that it goes to block memory shows its beats a cycle later, which may change the others
        endless = _Simulation(Plan(graph, dataclasses.replace(mapping, queues=depths)), [True] * frames, endless=True)
        held = {edge: max(2, depth) for edge, depth in endless.run().queues.items()}
        settled = all(queue_latency(held[edge]) == queue_latency(depths[edge]) for edge in depths)
        depths = {edge: max(held[edge], 0 if settled else depths[edge]) for edge in depths}
        if settled:
            return dataclasses.replace(mapping, queues=depths)


class _Simulation:
    def __init__(self, plan: Plan, full: list[bool], *, endless: bool = False) -> None:
        """``endless``: queues keep their latency and never fill."""
        self.plan, self.full, self.endless = plan, full, endless
        self.processes: dict[str, Process] = {}
        self.queues: dict[str, tuple[Stream, Stream]] = {}
        self.edges: dict[str, Stream] = {}
        self.streams: list[Stream] = []

        graph = plan.graph
        entry: dict[tuple[str, int], Stream] = {}
        for node in graph.nodes:
            stream = self._stream(node.name, node.name, plan.layout(node.name).lanes)
            if node is graph.input:
                self.input = stream
                stream.offered.extend(range(stream.total))
            else:
                self._op(plan.ops[node.name], [entry[node.name, n] for n in range(len(node.inputs))], stream)
            readers = plan.readers(node.name)
            branches = [stream]
            if len(readers) + (node.name == graph.output) > 1:
                ways = range(len(readers) + (node.name == graph.output))
                branches = [
                    self._stream(f"{node.name} copy {n}", node.name, plan.layout(node.name).lanes) for n in ways
                ]
                self.processes[f"fork of {node.name}"] = _fork(stream, branches)
            for edge, branch in zip(readers, branches, strict=False):
                self.edges[edge.name] = branch
                entry[edge.consumer, edge.index] = self._lead(edge, branch)
            if node.name == graph.output:
                self.output = branches[-1]

    def _stream(self, name: str, producer: str, lanes: int) -> Stream:
        shape = self.plan.graph.shapes[producer]
        whole = shape.height * shape.width * (shape.channels // lanes) + 1
        stream = Stream(name, [whole if full or self._always(producer) else 1 for full in self.full])
        self.streams.append(stream)
        return stream

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
                self.processes[out.name] = _queue(stream, out, depth)
            else:
                shown: list[int] = []
                self.processes[out.name] = _block_queue(stream, shown, depth)
                self.processes[f"{out.name} output"] = _block_queue_output(stream, shown, out)
            self.queues[f"{edge.producer}->{edge.consumer}"] = (stream, out)
            stream = out
        lanes = edge.layout.lanes
        for step in edge.lanes:
            out = self._stream(f"lanes {edge.name} to {step}", edge.producer, step)
            self.processes[out.name] = (
                _widen(stream, out, step // lanes) if step > lanes else _narrow(stream, out, lanes // step)
            )
            stream, lanes = out, step
        return stream

    def _op(self, op: Op, ins: list[Stream], out: Stream) -> None:
        name = op.node.name
        if isinstance(op, ElementwiseOp):
            self.processes[name] = _elementwise(op, ins, out)
        elif isinstance(op, GlobalPoolOp):
            self.processes[name] = _global_pool(op, ins[0], out)
        elif isinstance(op, LinearOp):
            store = self._token_store(op, ins[0])
            self.processes[name] = _whole_frames(op, store, ins[0], out)
        elif isinstance(op, WindowOp) and op.pointwise:
            store = self._token_store(op, ins[0])
            self.processes[name] = _tokens(op, store, ins[0], out)
        elif isinstance(op, WindowOp):
            rows = _RowStore(op)
            self.processes[f"source of {name}"] = rows.fill(ins[0])
            self.processes[name] = _windows(op, rows, ins[0], out)
        else:
            raise TypeError(f"op {name!r}: {type(op).__name__} has no cycle model")

    def _token_store(self, op: LinearOp | WindowOp, i: Stream) -> _TokenStore:
        words = op.in_layout.beats_per_token
        store = _TokenStore(words, token_slots(words, op.rounds.cycles(1)))
        self.processes[f"source of {op.node.name}"] = store.fill(i)
        return store

    def run(self) -> CycleRun:
        out, waiting, idle = self.output, dict(self.processes), 0
        while len(out.moved) < out.total:
            before = sum(len(stream.offered) + len(stream.moved) for stream in self.streams)
            for name, process in list(waiting.items()):
                if next(process, True):
                    del waiting[name]
            while len(out.moved) < len(out.offered):
                out.move(0)
            after = sum(len(stream.offered) + len(stream.moved) for stream in self.streams)
            # work inside an op may take one more turn to show on a stream
            idle = 0 if after > before else idle + 1
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
            queues={edge: _most_held(*streams) for edge, streams in self.queues.items()},
        )

    def _stuck(self) -> str:
        waiting = [
            f"{stream.name}: {len(stream.moved)} of {stream.total} beats moved"
            for stream in self.streams
            if len(stream.moved) < stream.total and len(stream.offered) > len(stream.moved)
        ]
        return f"graph {self.plan.graph.name!r} hangs with this mapping; beats that nobody takes: {'; '.join(waiting)}"


def _most_held(into: Stream, out: Stream) -> int:
    """The depth at which a queue never holds a beat back: a place is free a cycle after its beat left."""
    return max((n + 1 - bisect_right(out.moved, time - 1) for n, time in enumerate(into.moved)), default=0)


def _queue(i: Stream, o: Stream, depth: int) -> Process:
    for n in range(i.total):
        while len(i.offered) <= n or len(o.moved) <= n - depth:
            yield
        o.offered.append(i.move(o.moved[n - depth] + 1 if n >= depth else 0) + 1)


def _block_queue(i: Stream, shown: list[int], depth: int) -> Process:
    """The way into a queue of block memory; ``shown``: when each beat went from the memory to the output register."""
    for n in range(i.total):
        while len(i.offered) <= n or len(shown) <= n - depth:
            yield
        i.move(shown[n - depth] + 1 if n >= depth else 0)


def _block_queue_output(i: Stream, shown: list[int], o: Stream) -> Process:
    for n in range(i.total):
        while len(i.moved) <= n or len(o.moved) < n:
            yield
        shown.append(max(i.moved[n] + 1, o.moved[n - 1] if n else 0))
        o.offered.append(shown[n] + 1)


def _fork(i: Stream, branches: list[Stream]) -> Process:
    for n in range(i.total):
        while len(i.offered) <= n:
            yield
        offered = max(i.offered[n], i.moved[n - 1] + 1 if n else 0)
        for branch in branches:
            branch.offered.append(offered)
        while any(len(branch.moved) <= n for branch in branches):
            yield
        i.move(max(branch.moved[n] for branch in branches))


def _widen(i: Stream, o: Stream, ways: int) -> Process:
    n = 0
    for beats in i.beats:
        for beat in range(beats):
            sent = len(o.offered)
            while len(i.offered) <= n or len(o.moved) < sent:
                yield
            whole = beat == beats - 1 or beat % ways == ways - 1
            time = i.move(o.moved[-1] if whole and sent else 0)
            if whole:
                o.offered.append(time + 1)
            n += 1


def _narrow(i: Stream, o: Stream, ways: int) -> Process:
    n = 0
    for beats in i.beats:
        for beat in range(beats):
            while len(i.offered) <= n or len(o.moved) < len(o.offered):
                yield
            time = i.move(o.moved[-1] if o.moved else 0)
            o.offered += [time + 1] * (1 if beat == beats - 1 else ways)
            n += 1


def _elementwise(op: ElementwiseOp, ins: list[Stream], o: Stream) -> Process:
    depth, pipeline = op.depth, op.pipeline
    for n in range(o.total):
        while any(len(i.offered) <= n for i in ins) or len(o.moved) <= n - depth:
            yield
        room = o.moved[n - depth] + 1 if n >= depth else 0
        time = max(room, *(max(i.offered[n], i.moved[n - 1] + 1 if n else 0) for i in ins))
        for i in ins:
            i.move(time)
        o.offered.append(time + pipeline)


def _global_pool(op: GlobalPoolOp, i: Stream, o: Stream) -> Process:
    n, free = 0, 0
    for beats in i.beats:
        for _ in range(beats - 1):
            while len(i.offered) <= n:
                yield
            i.move(0)
            n += 1
        taken = len(o.offered) + op.end_beats - op.depth
        while len(i.offered) <= n or len(o.moved) < taken:
            yield
        end = i.move(max(free, o.moved[taken - 1] + 1 if taken > 0 else 0))
        free = end + op.end_beats
        o.offered += range(end + op.pipeline, end + op.pipeline + op.end_beats)
        n += 1


class _TokenStore:
    """``TokenSource``: ``ready``, when each site (a token, or ``end``) can be offered; ``done``, when its last step
    was.
    """

    def __init__(self, words: int, slots: int) -> None:
        self.words, self.slots = words, slots
        self.ready: list[int] = []
        self.done: list[int] = []

    def fill(self, i: Stream) -> Process:
        n = 0
        for beats in i.beats:
            while beats:
                oldest = len(self.ready) - self.slots
                while len(i.offered) <= n or len(self.done) <= oldest:
                    yield
                time = i.move(self.done[oldest] + RELEASE_DELAY if oldest >= 0 else 0)
                words = 1 if beats == 1 else self.words
                for word in range(n + 1, n + words):
                    while len(i.offered) <= word:
                        yield
                    time = i.move(0)
                self.ready.append(time + 1)
                n += words
                beats -= words


def _tokens(op: WindowOp, store: _TokenStore, i: Stream, o: Stream) -> Process:
    rounds, depth, pipeline = op.rounds, op.depth, op.pipeline
    done = last = -rounds.beats
    for beats in i.beats:
        for site in range((beats - 1) // store.words + 1):
            number = len(store.done)
            while len(store.ready) <= number:
                yield
            free = max(store.ready[number], done) + 1
            if site == (beats - 1) // store.words:
                taken = len(o.offered) + 1 - depth
                while len(o.moved) < taken:
                    yield
                done = max(free, last + rounds.beats, o.moved[taken - 1] + 1 if taken > 0 else 0)
                o.offered.append(done + pipeline)
            else:
                for _ in range(rounds.groups):
                    taken = len(o.offered) + rounds.beats - depth
                    while len(o.moved) < taken:
                        yield
                    first = max(free, o.moved[taken - 1] + 1 if taken > 0 else 0)
                    last = max(first + rounds.words - 1, last + rounds.beats)
                    free = last + 1
                    o.offered += range(last + pipeline, last + pipeline + rounds.beats)
                done = last
            store.done.append(done)


def _whole_frames(op: LinearOp, store: _TokenStore, i: Stream, o: Stream) -> Process:
    rounds, depth, pipeline = op.rounds, op.depth, op.pipeline
    done, end = -1, -rounds.end_apart
    for beats in i.beats:
        for site in range((beats - 1) // store.words + 1):
            number = len(store.done)
            while len(store.ready) <= number:
                yield
            free = max(store.ready[number], done) + 1
            if site == (beats - 1) // store.words:
                taken = len(o.offered) + rounds.end_beats - depth
                while len(o.moved) < taken:
                    yield
                done = end = max(free, end + rounds.end_apart, o.moved[taken - 1] + 1 if taken > 0 else 0)
                o.offered += range(end + pipeline, end + pipeline + rounds.end_beats)
            else:
                done = free + rounds.groups * rounds.words - 1
            store.done.append(done)


class _RowStore:
    """``WindowSource``: when each row was freed, and when the close of each frame was offered."""

    def __init__(self, op: WindowOp) -> None:
        self.geometry = op.geometry
        self.freed: list[int] = []
        self.closed: list[int] = []

    def fill(self, i: Stream) -> Process:
        g = self.geometry
        n, row = 0, 0
        for frame, beats in enumerate(i.beats):
            for beat in range(beats):
                starts_row = beat < beats - 1 and beat % (g.width * g.words) == 0
                while (
                    len(i.offered) <= n
                    or (beat == 0 and len(self.closed) <= frame - FRAMES_AHEAD)
                    or (starts_row and len(self.freed) <= row - g.rows)
                ):
                    yield
                ready = 0
                if beat == 0 and frame >= FRAMES_AHEAD:
                    ready = self.closed[frame - FRAMES_AHEAD] + 1
                if starts_row:
                    if row >= g.rows:
                        ready = max(ready, self.freed[row - g.rows] + RELEASE_DELAY)
                    row += 1
                i.move(ready)
                n += 1


def _windows(op: WindowOp, store: _RowStore, i: Stream, o: Stream) -> Process:
    g, rounds, depth, pipeline = op.geometry, op.rounds, op.depth, op.pipeline
    reach = g.kernel - 1 - g.padding
    inside_y, inside_x = _taps_inside(g.height, g.out_height, g), _taps_inside(g.width, g.out_width, g)
    walks = rounds.kernel is not None
    done, last, start = -1, -rounds.beats, 0
    for beats in i.beats:
        freed = 0
        if beats > 1:
            for y in range(g.out_height):
                need_y = min(y * g.stride + reach, g.height - 1)
                for x in range(g.out_width):
                    need_x = min(x * g.stride + reach, g.width - 1)
                    needed = start + (need_y * g.width + need_x + 1) * g.words - 1
                    while len(i.moved) <= needed:
                        yield
                    free = max(i.moved[needed] + 1, done) + 1
                    steps = rounds.words * (inside_y[y] * inside_x[x] if walks else 1)
                    for _ in range(rounds.groups):
                        taken = len(o.offered) + rounds.beats - depth
                        while len(o.moved) < taken:
                            yield
                        first = max(free, o.moved[taken - 1] + 1 if taken > 0 else 0)
                        last = max(first + steps - 1, last + rounds.beats)
                        free = last + 1
                        o.offered += range(last + pipeline, last + pipeline + rounds.beats)
                    done = last
                rows = need_y + 1 if y == g.out_height - 1 else min((y + 1) * g.stride - g.padding, need_y + 1)
                store.freed += [done] * max(0, rows - freed)
                freed = max(freed, rows)
        # the close of the frame: after its last row, or at once when it is empty
        needed = start + max(0, beats - 2)
        while len(i.moved) <= needed:
            yield
        offered = max(i.moved[needed] + 1, done)
        store.closed.append(offered)
        taken = len(o.offered) + 1 - depth
        while len(o.moved) < taken:
            yield
        done = max(offered + 1, last + rounds.beats, o.moved[taken - 1] + 1 if taken > 0 else 0)
        o.offered.append(done + pipeline)
        if beats > 1:
            store.freed += [done] * (g.height - freed)
        start += beats


def _taps_inside(side: int, out: int, g: WindowGeometry) -> list[int]:
    """For each output index how many of the window's taps lie inside."""
    starts = [g.stride * n - g.padding for n in range(out)]
    return [sum(0 <= start + k < side for k in range(g.kernel)) for start in starts]
