"""The cycle simulator: when every beat of every stream moves, exactly as the RTL moves it.

It knows the graph, the mapping and the active sites of each frame, but no features. Each component is a process that
turns the times at which its beats arrive into the times at which it offers its own: recurrences over beats, rounds and
sites, with no step a cycle. A process pauses where a time is not known yet. When all pause and beats are left, the
accelerator would hang, and ``DeadlockError`` says where.

Times are cycles after reset. The processes are compiled:

- ``ports``: source and sink of the accelerator
- ``streams``, ``queues``, ``lane_converters``: what lies between two ops
- ``op_state``: what all ops share; ``input_side``: how tokens come in
- ``sites``, ``windows``, ``elementwise``, ``turns``, ``global_pool``: the ops
- ``token_fast_path``: the fast path for tokens of which no beat waits

``netlist`` lays out the typed records that they work in (``records``), ``scheduler`` runs them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from cosim.cycle.active_sites import WHOLE, walk
from cosim.cycle.netlist import Netlist
from cosim.cycle.ports import SinkRecord, SourceRecord
from cosim.cycle.process import ProcessRecord
from cosim.cycle.queues import QueueRecord
from cosim.cycle.records import HeaderRecord
from cosim.cycle.scheduler import run as run_processes
from cosim.cycle.streams import ReaderRecord, StreamRecord
from hw.accelerator.composition import AcceleratorPlan
from hw.accelerator.queue_bounds import min_deadlock_free_depth
from hw.fpga.mapping import Mapping
from hw.streams.layout import MaskLayout
from hw.streams.stream import queue_latency
from models.ir.graph import Graph

Frames = int | Sequence[bool | np.ndarray]
"""A number of full frames; or for each frame True (full), False (empty) or active sites, bool ``[height, width]``."""


class DeadlockError(RuntimeError):
    """The accelerator would hang; the message names the streams with beats that nobody takes."""


class Work(NamedTuple):
    """What an op did in the cycles of a run; the three counts add up to all cycles.

    A convolution, window pooling or linear op is counted by the step in the sequencer's register, an elementwise op or
    global pooling by the beats at its inputs.

    Parameters
        busy       the step is issued; or a beat of each input is taken
        starved    there is no step; or an input shows no beat
        blocked    the step waits, because the output has no room for its beats or those of the round before are not out
                   yet; or all inputs show a beat, but these are not taken for want of room
    """

    busy: int
    starved: int
    blocked: int


@dataclass(frozen=True)
class CycleRun:
    """When frames pass the accelerator. Every figure is of kind ``simulated``.

    Parameters
        latency      cycles of each frame from its first beat in to its last token out, the wait for earlier frames
                     included
        intervals    cycles between the ends of consecutive frames out
        cycles       cycles from 0 until the last beat came out
        edges        for each edge, the cycles in which its ``end`` beats leave the producer
        queues       for each edge with a queue, the most beats it ever held
        ops          what each op did from cycle 0 until the last beat came out
        input        the cycle of each beat in
        output       the cycle of each beat out
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
        """The latency of the first frame, which finds the accelerator idle."""
        return self.latency[0]

    @property
    def interval(self) -> int:
        """Cycles a frame in steady state; for a single frame its latency."""
        return self.intervals[-1] if self.intervals else self.latency[-1]


class Simulator:
    """A graph and its mapping, ready to play frames.

    A beat that the source offers stays until it is taken.

    Parameters
        graph      the network
        mapping    its mapping
        source     bool ``[cycles]``, repeated: whether the source offers no new beat in a cycle after reset; None: it
                   never waits
        sink       bool ``[cycles]``, repeated: whether the sink takes no beat in a cycle after reset; None: it never
                   waits
        depths     depths of queues, by edge, in place of those of the mapping; their latency stays that of the
                   mapping's depth
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
        self.plan = AcceleratorPlan(graph, mapping)
        parts = self._parts = Netlist(self.plan, _waits("source", source), _waits("sink", sink), depths)
        self._start = parts.records.array()
        self._processes = np.array(parts.processes)
        self._readers = np.array(list(parts.readers.values()))
        self._sides = np.array(parts.classes.sides)
        self._windows = parts.classes.windows
        # where the counters stand that a call returns, so that one index reads them all instead of a property for each
        work = [ProcessRecord.fields.index(name) for name in ("busy", "blocked")]
        self._work_places = np.array([[at + place for place in work] for at in parts.ops.values()], np.int64)
        self._queue_places = np.array(list(parts.queues.values()), np.int64) + QueueRecord.fields.index("most")

    def run(self, frames: Frames = 1) -> CycleRun:
        """Play frames back to back."""
        return self._run(masks_of(self.plan.graph, frames))

    def latencies(self, frames: Frames) -> list[int]:
        """The latency of each of the frames when it finds the accelerator idle."""
        return [self._run(mask[None]).latency[0] for mask in masks_of(self.plan.graph, frames)]

    def set_depth(self, edge: str, depth: int) -> None:
        """Make a queue shallower than the mapping says."""
        queue = QueueRecord(self._start, self._parts.queues[edge])
        queue.depth, queue.latency = depth, queue_latency(depth)

    def keeps_pace(self, frames: Frames, output: list[int]) -> bool:
        """Whether, with the frames back to back, no beat comes out later than in ``output``."""
        try:
            return bool(np.all(np.array(self.run(frames).output) <= output))
        except DeadlockError:
            return False

    def _run(self, masks: np.ndarray) -> CycleRun:
        """Play the frames of these masks; DeadlockError where beats are left."""
        parts, plan, count = self._parts, self.plan, len(masks)
        m, w, numbers = self._run_call(masks)
        received = SinkRecord(m, parts.processes[-1]).received
        beats = _frame_beats(w, parts.classes.of[plan.graph.output], count, plan.output.beats_per_token)
        if received < sum(beats):
            raise DeadlockError(self._stuck(m, w))
        layout = plan.input_layout
        if isinstance(layout, MaskLayout):
            in_beats = [n - 1 + layout.words for n in _frame_beats(w, WHOLE, count, layout.tokens.beats_per_token)]
        else:
            in_beats = _frame_beats(w, WHOLE, count, layout.beats_per_token)
        out_cycles = w[numbers.output : numbers.output + received].tolist()
        in_cycles = w[numbers.input : numbers.input + sum(in_beats)].tolist()
        ends = [after - 1 for after in accumulate(beats)]
        firsts = accumulate(in_beats[:-1], initial=0)
        cycles = out_cycles[-1] + 1
        work, queues = m[self._work_places].tolist(), m[self._queue_places].tolist()
        edges = w[numbers.ends : numbers.ends + len(parts.edges) * count].reshape(-1, count)
        return CycleRun(
            latency=[
                out_cycles[end - (n > 1)] - in_cycles[first] for first, end, n in zip(firsts, ends, beats, strict=True)
            ],
            intervals=[out_cycles[end] - out_cycles[before] for before, end in pairwise(ends)],
            cycles=cycles,
            edges=dict(zip(parts.edges, edges.tolist(), strict=True)),
            queues=dict(zip(parts.queues, queues, strict=True)),
            ops={
                name: Work(busy, cycles - busy - blocked, blocked)
                for name, (busy, blocked) in zip(parts.ops, work, strict=True)
            },
            input=in_cycles,
            output=out_cycles,
        )

    def _run_call(self, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray, _Places]:
        """Lay out a call in copies of ``m`` and ``w`` and run it: (m, w, where its results are)."""
        parts, plan = self._parts, self.plan
        count, sites = len(masks), int(np.count_nonzero(masks))
        classes = parts.classes
        into = plan.input_layout.words if isinstance(plan.input_layout, MaskLayout) else 1
        in_beats = sites * plan.input.beats_per_token + count * into
        out_beats = max(sites, count) * plan.output.beats_per_token + count
        ends = classes.size(count, sites)
        places = _Places(ends, ends + len(parts.edges) * count, ends + len(parts.edges) * count + in_beats)
        w = np.empty(places.output + out_beats, np.int64)
        walk(masks.reshape(count, -1), self._sides, self._windows, classes.sparse, w)
        m = self._start.copy()
        header = HeaderRecord(m, 0)
        header.frames = count
        header.windows = len(self._sides) * count
        header.sites = header.windows + len(self._windows) * count
        header.ends, header.input, header.output = places
        SourceRecord(m, parts.processes[0]).total = in_beats
        run_processes(m, w, self._processes, self._readers)
        return m, w, places

    def _stuck(self, m: np.ndarray, w: np.ndarray) -> str:
        """The message of a DeadlockError."""
        waiting = []
        for name, at in self._parts.readers.items():
            reader = ReaderRecord(m, at)
            if reader.accepted < StreamRecord(m, reader.stream).offered:
                total = _frame_beats(w, reader.site_class, HeaderRecord(m, 0).frames, reader.per_token)
                waiting.append(f"{name}: {reader.accepted} of {sum(total)} beats moved")
        return f"graph {self.plan.graph.name!r} hangs with this mapping; beats that nobody takes: {'; '.join(waiting)}"


class _Places(NamedTuple):
    """Addresses in ``w`` of the results of a run."""

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
    """Play frames back to back.

    Parameters
        graph      the network
        mapping    its mapping
        frames     the frames
        source     stalls of the source, as for ``Simulator``
        sink       stalls of the sink, as for ``Simulator``
    """
    return Simulator(graph, mapping, source=source, sink=sink).run(frames)


def size_queues(graph: Graph, mapping: Mapping, frames: Frames = 4) -> Mapping:
    """The mapping with the smallest queues on the edges into adds that delay no beat of these frames.

    Each beat of ``frames``, played back to back, leaves the accelerator as early as with unlimited queues. Every branch
    into an add gets a queue of ``min_deadlock_free_depth`` beats or more, so that no other frame makes a residual
    network hang, whatever its active sites. Where a queue is deeper than that, one place less would cost cycles.

    Parameters
        graph      the network
        mapping    the mapping, whose own queues are ignored
        frames     the frames to play
    """
    masks = list(masks_of(graph, frames))
    least = min_deadlock_free_depths(graph, mapping)
    depths = least
    while True:
        # a queue deep enough for block memory shows its beats a cycle later, which may change what the others hold
        run = endless(graph, dataclasses.replace(mapping, queues=depths), masks).run(masks)
        needed = {edge: max(least[edge], depth) for edge, depth in run.queues.items()}
        stable = all(queue_latency(needed[edge]) == queue_latency(depths[edge]) for edge in depths)
        depths = {edge: max(needed[edge], 0 if stable else depths[edge]) for edge in depths}
        if stable:
            break
    simulator = Simulator(graph, dataclasses.replace(mapping, queues=depths))
    for edge, depth in depths.items():
        # `enough` places are known to be enough, `less` are known not to be
        enough, less = depth, least[edge] - 1
        while enough - less > 1:
            middle = (enough + less) // 2
            simulator.set_depth(edge, middle)
            if simulator.keeps_pace(masks, run.output):
                enough = middle
            else:
                less = middle
        simulator.set_depth(edge, enough)
        depths[edge] = enough
    return dataclasses.replace(mapping, queues=depths)


def min_deadlock_free_depths(graph: Graph, mapping: Mapping) -> dict[str, int]:
    """The least depth of the queue on each edge into an add.

    In a sparse graph it is the least with which no frame can hang; in a dense one it is that of any queue.

    Parameters
        graph      the network
        mapping    its mapping; its queues do not matter
    """
    edges = _meetings(graph, mapping)
    return {edge: min_deadlock_free_depth(graph, *ends) if graph.input.sparse else 2 for edge, ends in edges.items()}


def endless(graph: Graph, mapping: Mapping, frames: Frames) -> Simulator:
    """A simulator whose queues before adds have room for all beats of the frames.

    Parameters
        graph      the network
        mapping    its mapping
        frames     the frames that will be played
    """
    masks = masks_of(graph, frames)
    sites = int(np.count_nonzero(masks))
    depths = {edge: sites * each + 2 * len(masks) for edge, (_, _, each) in _meetings(graph, mapping).items()}
    return Simulator(graph, mapping, depths=depths)


def _meetings(graph: Graph, mapping: Mapping) -> dict[str, tuple[str, str, int]]:
    """Each edge into an add by its name: (producer, consumer, beats of a token)."""
    plan = AcceleratorPlan(graph, mapping)
    return {f"{a}->{b}": (a, b, plan.layout(a).beats_per_token) for a, b, _ in graph.edges if graph[b].arity > 1}


def masks_of(graph: Graph, frames: Frames) -> np.ndarray:
    """The active sites of each frame, bool ``[frames, height, width]``.

    Parameters
        graph     the network
        frames    the frames
    Raises        ValueError: no frame, a mask of another shape or type, or a dense network with some sites of a frame
                  active
    """
    side = graph.input.shape[:2]
    if isinstance(frames, int):
        frames = [True] * frames
    masks = [np.full(side, frame) if isinstance(frame, bool) else np.asarray(frame) for frame in frames]
    if not masks:
        raise ValueError("the cycle simulator needs at least one frame")
    for number, mask in enumerate(masks):
        if mask.shape != side or mask.dtype != bool:
            actual = f"{mask.dtype} {mask.shape}"
            raise ValueError(f"graph {graph.name!r}, frame {number}: must be True, False or bool {side}, not {actual}")
        if not graph.input.sparse and mask.any() != mask.all():
            sites = f"{mask.sum()} of {mask.size}"
            raise ValueError(f"graph {graph.name!r} takes dense frames; frame {number} has {sites} sites active")
    return np.stack(masks)


def _waits(name: str, stalls: np.ndarray | None) -> np.ndarray:
    """For each cycle, how many cycles a port with a beat to move waits."""
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
