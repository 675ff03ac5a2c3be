"""The cycle simulator: when every beat of every stream moves, exactly as the RTL moves it.

It knows the graph, the mapping and which sites of each frame are active, never a feature. Each component is a
process that turns the times at which its beats arrive into the times at which it offers its own: recurrences
over beats, rounds and sites, with no step a cycle. A process pauses where a time is not known yet; when all pause
and beats are left, the accelerator would hang, and ``DeadlockError`` says where.

Times are cycles after reset. The processes are compiled: the ends of the accelerator are in ``port_times``, streams and
queues in ``stream_times``, ops in ``op_times``, and there what comes in in ``arrivals``, and sites in ``site_times``,
``window_times`` and ``elementwise``; tokens of which no beat waits take the short way through ``whole_tokens``. What
they work in is put together in ``assembly``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from cosim import memory, port_times, stream_times
from cosim.active_sites import WHOLE, walk
from cosim.assembly import Assembly
from cosim.processes import run as play
from hw.accelerator import Plan
from hw.layout import MaskLayout
from hw.mapping import Mapping
from hw.queue_bounds import least_queue
from hw.stream import queue_latency
from models.ir.graph import Add, Graph

Frames = int | Sequence[bool | np.ndarray]
"""So many full frames; or of each whether it is full or empty, or its active sites, bool ``[height, width]``."""


class DeadlockError(RuntimeError):
    """The accelerator would stop for ever; the message names what waits."""


class Work(NamedTuple):
    """What an op did in the cycles of a run: ``busy``, ``blocked`` and ``starved`` ones add up to all.

    Of convolution, window pooling and linear ops by the step in the sequencer's register: it is issued (busy); it
    waits, as the output has no room for its beats, or those of the round before are not out yet (blocked); there is
    none (starved). Of elementwise ops and global pooling: a beat of each input goes in (busy); each shows one, but not
    all are taken, for want of room (blocked); else starved.
    """

    busy: int
    starved: int
    blocked: int


@dataclass(frozen=True)
class CycleRun:
    """When frames pass. Every figure is of kind ``simulated``.

    ``latency``: for each frame the cycles from its first beat in to its last token out, the wait for earlier frames
    included. ``intervals``: cycles between the ends of consecutive frames out. ``edges``: for each edge the cycles of
    its ``end`` beats as they leave the producer. ``queues``: for each edge with a queue the most beats it ever held.
    ``ops``: what each op did from cycle 0 until the last beat came out. ``input`` and ``output``: when each beat went
    in and came out.
    """

    latency: list[int]
    intervals: list[int]
    cycles: int
    edges: dict[str, list[int]]
    queues: dict[str, int]
    ops: dict[str, Work]
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


class Simulator:
    """A graph and its mapping, ready to play frames.

    ``source`` and ``sink``: whether the one offers nothing new, and the other takes nothing, in each cycle after reset;
    bool ``[cycles]``, over and over. What the source offers stays until it is taken.
    """

    def __init__(
        self,
        graph: Graph,
        mapping: Mapping,
        *,
        source: np.ndarray | None = None,
        sink: np.ndarray | None = None,
        depths: Dict[str, int] | None = None,
    ) -> None:
        """``depths``: of queues, by edge, in place of their own; they stay what they are made of."""
        self.plan = Plan(graph, mapping)
        parts = self._parts = Assembly(self.plan, _waits("source", source), _waits("sink", sink), depths)
        self._start = parts.memory.array()
        self._processes = np.array(parts.processes)
        self._ops, self._queues = (np.array(list(of.values()), np.int64) for of in (parts.ops, parts.queues))
        self._readers = np.array(list(parts.readers.values()))
        self._sides = np.array(parts.classes.sides)
        self._windows = parts.classes.windows

    def run(self, frames: Frames = 1) -> CycleRun:
        """Plays ``frames`` back to back."""
        return self._run(masks_of(self.plan.graph, frames))

    def latencies(self, frames: Frames) -> list[int]:
        """The latency of each of the frames when it finds the accelerator idle."""
        return [self._run(mask[None]).latency[0] for mask in masks_of(self.plan.graph, frames)]

    def set_depth(self, edge: str, depth: int) -> None:
        """Makes a queue of the mapping shallower."""
        queue = self._parts.queues[edge]
        self._start[queue + stream_times.DEPTH] = depth
        self._start[queue + stream_times.LATENCY] = queue_latency(depth)

    def keeps_pace(self, frames: Frames, output: list[int]) -> bool:
        """Whether no beat of the frames, played back to back, comes out later than ``output`` says."""
        try:
            return bool(np.all(np.array(self.run(frames).output) <= output))
        except DeadlockError:
            return False

    def _run(self, masks: np.ndarray) -> CycleRun:
        parts, plan, count = self._parts, self.plan, len(masks)
        m, w, numbers = self._played(masks)
        received = int(m[self._processes[-1] + port_times.RECEIVED])
        beats = _frame_beats(w, parts.classes.of[plan.graph.output], count, plan.output.beats_per_token)
        if received < sum(beats):
            raise DeadlockError(self._stuck(m, w))
        layout = plan.source
        if isinstance(layout, MaskLayout):
            taken = [n - 1 + layout.words for n in _frame_beats(w, WHOLE, count, layout.tokens.beats_per_token)]
        else:
            taken = _frame_beats(w, WHOLE, count, layout.beats_per_token)
        out = w[numbers.output : numbers.output + received].tolist()
        came = w[numbers.input : numbers.input + sum(taken)].tolist()
        ends = [after - 1 for after in accumulate(beats)]
        firsts = accumulate(taken[:-1], initial=0)
        cycles = out[-1] + 1
        busy, blocked = m[self._ops + memory.BUSY], m[self._ops + memory.BLOCKED]
        work = zip(busy.tolist(), (cycles - busy - blocked).tolist(), blocked.tolist(), strict=True)
        edges = w[numbers.ends : numbers.ends + len(parts.edges) * count].reshape(-1, count)
        return CycleRun(
            latency=[out[end - (n > 1)] - came[first] for first, end, n in zip(firsts, ends, beats, strict=True)],
            intervals=[out[end] - out[before] for before, end in pairwise(ends)],
            cycles=cycles,
            edges=dict(zip(parts.edges, edges.tolist(), strict=True)),
            queues=dict(zip(parts.queues, m[self._queues + stream_times.MOST].tolist(), strict=True)),
            ops=dict(zip(parts.ops, map(Work._make, work), strict=True)),
            input=came,
            output=out,
        )

    def _played(self, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray, _Places]:
        parts, plan = self._parts, self.plan
        count, sites = len(masks), int(np.count_nonzero(masks))
        classes = parts.classes
        into = plan.source.words if isinstance(plan.source, MaskLayout) else 1
        in_beats = sites * plan.input.beats_per_token + count * into
        out_beats = max(sites, count) * plan.output.beats_per_token + count
        ends = classes.size(count, sites)
        places = _Places(ends, ends + len(parts.edges) * count, ends + len(parts.edges) * count + in_beats)
        w = np.empty(places.output + out_beats, np.int64)
        walk(masks.reshape(count, -1), self._sides, self._windows, classes.sparse, w)
        m = self._start.copy()
        m[memory.FRAMES] = count
        m[memory.TOKENS] = 0
        m[memory.WINDOWS] = len(self._sides) * count
        m[memory.SITES] = m[memory.WINDOWS] + len(self._windows) * count
        m[memory.ENDS], m[memory.INPUT], m[memory.OUTPUT] = places
        m[self._processes[0] + port_times.PLAYED] = in_beats
        play(m, w, self._processes, self._readers)
        return m, w, places

    def _stuck(self, m: np.ndarray, w: np.ndarray) -> str:
        waiting = []
        for name, reader in self._parts.readers.items():
            moved, stream = m[reader + stream_times.TAKEN], m[reader + stream_times.STREAM]
            if moved < m[stream + stream_times.OFFERED]:
                total = _frame_beats(
                    w, m[reader + stream_times.CLASS], m[memory.FRAMES], m[reader + stream_times.PER_TOKEN]
                )
                waiting.append(f"{name}: {moved} of {sum(total)} beats moved")
        return f"graph {self.plan.graph.name!r} hangs with this mapping; beats that nobody takes: {'; '.join(waiting)}"


class _Places(NamedTuple):
    """Where in ``w`` the results of a run begin."""

    ends: int
    input: int
    output: int


def _frame_beats(w: np.ndarray, kind: int, frames: int, per_token: int) -> list[int]:
    """Beats of each frame on a stream with sites of a class, its ``end`` included."""
    return [tokens * per_token + 1 for tokens in w[kind * frames : (kind + 1) * frames].tolist()]


def simulate(
    graph: Graph,
    mapping: Mapping,
    frames: Frames = 1,
    *,
    source: np.ndarray | None = None,
    sink: np.ndarray | None = None,
) -> CycleRun:
    """Plays ``frames`` back to back; ``source`` and ``sink`` stall as in ``Simulator``."""
    return Simulator(graph, mapping, source=source, sink=sink).run(frames)


def size_queues(graph: Graph, mapping: Mapping, frames: Frames = 4) -> Mapping:
    """The mapping with the smallest queues on the edges into adds with which each beat of ``frames``, played back to
    back, leaves the accelerator as early as with endless ones.

    Every branch that meets another gets one, of ``least_queue`` beats or more: no other frame makes a residual network
    hang either, whatever its active sites. Of each that is deeper, a place less would cost cycles.
    """
    masks = list(masks_of(graph, frames))
    edges = _meetings(graph, mapping)
    least = {edge: least_queue(graph, *ends) if graph.input.sparse else 2 for edge, ends in edges.items()}
    depths = least
    while True:
        # a queue so deep that it goes to block memory shows its beats a cycle later, which may change the others
        run = endless(graph, dataclasses.replace(mapping, queues=depths), masks).run(masks)
        held = {edge: max(least[edge], depth) for edge, depth in run.queues.items()}
        settled = all(queue_latency(held[edge]) == queue_latency(depths[edge]) for edge in depths)
        depths = {edge: max(held[edge], 0 if settled else depths[edge]) for edge in depths}
        if settled:
            break
    simulator = Simulator(graph, dataclasses.replace(mapping, queues=depths))
    for edge, depth in depths.items():
        # enough is known to be enough, less not to be
        enough, less = depth, least[edge] - 1
        while enough - less > 1:
            tried = (enough + less) // 2
            simulator.set_depth(edge, tried)
            if simulator.keeps_pace(masks, run.output):
                enough = tried
            else:
                less = tried
        simulator.set_depth(edge, enough)
        depths[edge] = enough
    return dataclasses.replace(mapping, queues=depths)


def endless(graph: Graph, mapping: Mapping, frames: Frames) -> Simulator:
    """A simulator whose queues before adds have room for all of the frames."""
    masks = masks_of(graph, frames)
    sites = int(np.count_nonzero(masks))
    depths = {edge: sites * each + 2 * len(masks) for edge, (_, _, each) in _meetings(graph, mapping).items()}
    return Simulator(graph, mapping, depths=depths)


def _meetings(graph: Graph, mapping: Mapping) -> dict[str, tuple[str, str, int]]:
    """Each edge into an add by its name: its ends, and the beats of a token."""
    plan = Plan(graph, mapping)
    return {f"{a}->{b}": (a, b, plan.layout(a).beats_per_token) for a, b, _ in graph.edges if isinstance(graph[b], Add)}


def masks_of(graph: Graph, frames: Frames) -> np.ndarray:
    """The active sites of each frame, bool ``[frames, height, width]``."""
    side = graph.input.shape[:2]
    if isinstance(frames, int):
        frames = [True] * frames
    masks = [np.full(side, frame) if isinstance(frame, bool) else np.asarray(frame) for frame in frames]
    if not masks:
        raise ValueError("the cycle simulator needs at least one frame")
    for number, mask in enumerate(masks):
        if mask.shape != side or mask.dtype != bool:
            got = f"{mask.dtype} {mask.shape}"
            raise ValueError(f"graph {graph.name!r}, frame {number}: must be True, False or bool {side}, not {got}")
        if not graph.input.sparse and mask.any() != mask.all():
            sites = f"{mask.sum()} of {mask.size}"
            raise ValueError(f"graph {graph.name!r} takes dense frames; frame {number} has {sites} sites active")
    return np.stack(masks)


def _waits(name: str, stalls: np.ndarray | None) -> np.ndarray:
    """How many cycles a port waits that would move a beat, by cycle."""
    if stalls is None:
        return np.zeros(0, np.int64)
    stalls = np.asarray(stalls)
    if stalls.ndim != 1 or stalls.dtype != bool or stalls.all():
        raise ValueError(
            f"{name}: stalls must be bool [cycles] with a cycle without, not {stalls.dtype} {stalls.shape}"
        )
    free = np.flatnonzero(~stalls)
    cycles = np.arange(len(stalls))
    following = np.append(free, free[0] + len(stalls))[np.searchsorted(free, cycles)]
    return following - cycles
