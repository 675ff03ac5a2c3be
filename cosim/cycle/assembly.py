"""Lays out an accelerator for the compiled cycle simulator: its streams, readers and processes as records in ``m``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cosim.cycle import arrivals, kinds
from cosim.cycle import op_times as op_fields
from cosim.cycle import port_times as port
from cosim.cycle import stream_times as stream
from cosim.cycle import window_times as window
from cosim.cycle.active_sites import Classes
from cosim.cycle.memory import AWAKE, KIND, Records
from hw.accelerator.composition import AcceleratorPlan, Edge
from hw.line_buffer.sequencer import Rounds
from hw.line_buffer.source import FRAMES_AHEAD, RELEASE_DELAY, WindowGeometry
from hw.line_buffer.sparse_source import LIST_LATENCY
from hw.ops.op import Op
from hw.ops.process import BeatByBeat, FrameEnd, TokenByToken, WindowByWindow
from hw.streams.layout import MaskLayout
from hw.streams.stream import queue_latency

OFFERED_AHEAD = 64
"""Beats that a source which never waits offers at a time, at least."""


class Assembly:
    """The records of an accelerator, as a run finds them.

    Parameters
        plan         the accelerator
        source       int64 ``[cycles]``, repeated: how many cycles the source waits in each cycle; empty where it never
                     waits
        sink         the same of the sink
        depths       depths of queues, by edge, in place of those of the mapping; only of edges where the mapping has a
                     queue
    Attributes
        memory       ``m``
        classes      the site classes of the graph
        readers      addresses of the readers, by name
        queues       addresses of the queues, by edge
        ops          addresses of the ops, by node name
        processes    addresses of all processes, in the order of the graph
        edges        names of the edges, by number
    """

    def __init__(
        self, plan: AcceleratorPlan, source: np.ndarray, sink: np.ndarray, depths: Mapping[str, int] | None = None
    ) -> None:
        self.plan, self.classes, self.depths = plan, Classes(plan.graph), depths or {}
        self.memory = Records()
        self.readers: dict[str, int] = {}
        self.queues: dict[str, int] = {}
        self.ops: dict[str, int] = {}
        self.processes: list[int] = []
        self.edges: list[str] = []
        self._entries: dict[tuple[str, int], int] = {}
        graph = plan.graph
        # a flag for each node, each queue, and the sink
        self._awake = self.memory.record(len(graph.nodes) + sum(edge.queue > 0 for edge in plan.edges) + 1)
        self.memory[AWAKE] = self._awake
        for node in graph.nodes:
            lanes = plan.layout(node.name).lanes
            if node is graph.input:
                process = self._source(source)
                ring = max(OFFERED_AHEAD, graph.shapes[node.name].channels // lanes)
            else:
                process, depth = self._op(plan.ops[node.name])
                self.ops[node.name] = process
                ring = depth + 1
            out = self._stream(
                node.name, lanes, process, ring, len(plan.readers(node.name)) + (node.name == graph.output)
            )
            self.memory[process + (port.TO if node is graph.input else op_fields.OUT)] = out[0]
            for edge, reader in zip(plan.readers(node.name), out[1:], strict=False):
                self._lead(edge, reader)
            if node.name == graph.output:
                self._end = out[-1]
        self._sink(sink)

    def _process(self, kind: int, size: int, *readers: int) -> int:
        """A new process, the next in order, that owns ``readers``."""
        process = self.memory.record(size)
        self.memory[process + KIND] = kind
        for reader in readers:
            self.memory[reader + stream.OWNER] = self._awake + len(self.processes)
            self.memory[reader + stream.CONSUMER] = process
        self.processes.append(process)
        return process

    def _stream(self, name: str, lanes: int, producer: int, ring: int, readers: int, label: str = "") -> list[int]:
        """A new stream of node ``name``: its address, then those of its readers."""
        m, label = self.memory, label or name
        address = m.record(stream.STREAM_SIZE)
        m[address + stream.RING], m[address + stream.MASK] = m.rings(2, ring)
        m[address + stream.LAST] = m[address + stream.PACED] = m[address + stream.STEADY] = -1
        m[address + stream.LATE] = stream.ON_TIME
        m[address + stream.PRODUCER] = self._awake + self.processes.index(producer)
        m[address + stream.READERS] = readers
        found = [m.record(stream.READER_SIZE) for _ in range(readers)]
        m[address + stream.READER] = found[0]
        for way, reader in enumerate(found):
            self.readers[f"{label} copy {way}" if readers > 1 else label] = reader
            m[reader + stream.STREAM] = address
            m[reader + stream.CLASS] = self.classes.of[name]
            m[reader + stream.PER_TOKEN] = self.plan.graph.shapes[name].channels // lanes
            m[reader + stream.EDGE] = -1
            m[reader + stream.NARROW] = m[reader + stream.WIDEN] = 1
            m[reader + stream.PART_AT] = m[reader + stream.READ_AT] = -1
        return [address, *found]

    def _lead(self, edge: Edge, reader: int) -> None:
        """Connect an edge to its consumer, from a reader at its producer through queue and lane converters."""
        m = self.memory
        m[reader + stream.EDGE] = len(self.edges)
        self.edges.append(edge.name)
        if edge.queue:
            key = f"{edge.producer}->{edge.consumer}"
            depth = self.depths.get(key, edge.queue)
            queue = self._process(kinds.QUEUE, stream.QUEUE_SIZE, reader)
            self.queues[key] = m[reader + stream.QUEUE] = queue
            m[queue + stream.DEPTH], m[queue + stream.LATENCY] = depth, queue_latency(edge.queue)
            sink = self._stream(edge.producer, edge.layout.lanes, queue, depth + 2, 1, f"queue {edge.name}")
            m[queue + stream.SOURCE] = reader
            m[sink[0] + stream.BEFORE] = reader
            m[queue + stream.SINK], reader = sink
        lanes = edge.layout.lanes
        for step in edge.lanes:
            if step < lanes:
                m[reader + stream.NARROW] = lanes // step
            else:
                m[reader + stream.WIDEN] = step // lanes
            lanes = step
        self._entries[edge.consumer, edge.index] = reader

    def _stalls(self, process: int, waits: np.ndarray) -> None:
        self.memory[process + port.PERIOD] = len(waits)
        self.memory[process + port.STALLS] = self.memory.table(waits.tolist())

    def _source(self, waits: np.ndarray) -> int:
        layout, m = self.plan.source, self.memory
        if not isinstance(layout, MaskLayout):
            process = self._process(kinds.SOURCE, port.SOURCE_SIZE)
        else:
            process = self._process(kinds.MASK_SOURCE, port.MASK_SIZE)
            m[process + port.MASK_BITS], m[process + port.MASK_WORDS] = layout.bits, layout.words
            m[process + port.MASK_LATENCY] = queue_latency(layout.words)
            m[process + port.TOKEN_BEATS] = layout.tokens.beats_per_token
            m[process + port.PASSED_AT] = -1
        self._stalls(process, waits)
        return process

    def _sink(self, waits: np.ndarray) -> None:
        process = self._process(kinds.SINK, port.SINK_SIZE, self._end)
        self.memory[process + port.FROM] = self._end
        self._stalls(process, waits)

    def _op(self, op: Op) -> tuple[int, int]:
        """(address of its process, depth of its output queue)."""
        m = self.memory
        readers = [self._entries[op.node.name, index] for index in range(len(op.node.inputs))]
        match op.process:
            case BeatByBeat():
                process = self._process(kinds.ELEMENTWISE, op_fields.OP, *readers)
                m[process + op_fields.SECOND] = readers[-1]
                queued = readers[0] != readers[-1] and all(self._queued(reader) for reader in readers)
                m[process + op_fields.FLOWS] = queued and op.depth >= op.pipeline + op_fields.ROOM_DELAY
            case FrameEnd(end_beats):
                process = self._process(kinds.POOL, arrivals.POOL_SIZE, *readers)
                m[process + op_fields.END_BEATS] = end_beats
                m[process + op_fields.WORDS] = op.in_layout.beats_per_token
            case TokenByToken() as own:
                process = self._tokens(op, own, readers[0])
            case WindowByWindow() as own:
                process = self._windows(op, own, readers[0])
        m[process + op_fields.IN] = readers[0]
        m[process + op_fields.DEPTH], m[process + op_fields.PIPELINE] = op.depth, op.pipeline
        return process, op.depth

    def _queued(self, reader: int) -> bool:
        """Whether a reader takes beats from a queue as they are."""
        m = self.memory
        return (
            m[m[reader + stream.STREAM] + stream.BEFORE] > 0
            and m[reader + stream.NARROW] == m[reader + stream.WIDEN] == 1
        )

    def _rounds(self, process: int, op: Op, rounds: Rounds) -> None:
        m = self.memory
        m[process + op_fields.FLOWS] = _flows(rounds, op.depth, op.pipeline)
        m[process + op_fields.GROUPS], m[process + op_fields.BEATS] = rounds.groups, rounds.beats
        m[process + op_fields.WORDS], m[process + op_fields.WALKS] = rounds.words, rounds.kernel is not None
        m[process + op_fields.WHOLE_FRAME] = rounds.whole_frame
        m[process + op_fields.END_BEATS] = rounds.end_beats
        m[process + op_fields.END_APART] = rounds.end_apart
        m[process + op_fields.RELEASE] = RELEASE_DELAY
        for since in (op_fields.DONE, op_fields.HEADED, op_fields.LEFT):
            m[process + since] = -1
        m[process + op_fields.LAST_STEP], m[process + op_fields.LAST_END] = -rounds.beats, -rounds.end_apart

    def _tokens(self, op: Op, own: TokenByToken, reader: int) -> int:
        m = self.memory
        process = self._process(kinds.TOKENS, arrivals.TOKENS_SIZE, reader)
        self._rounds(process, op, own.rounds)
        m[process + arrivals.TOKEN_WORDS], m[process + arrivals.SLOTS] = op.in_layout.beats_per_token, own.slots
        m[process + arrivals.SLOT], _ = m.rings(2, own.slots)
        return process

    def _windows(self, op: Op, own: WindowByWindow, reader: int) -> int:
        m, g, sparse = self.memory, own.geometry, own.sparse
        process = self._process(kinds.WINDOWS, window.SPARSE_SIZE if sparse else window.DENSE_SIZE, reader)
        self._rounds(process, op, own.rounds)
        m[process + arrivals.SPARSE], m[process + arrivals.TOKEN_WORDS] = sparse, op.in_layout.beats_per_token
        m[process + arrivals.WIDTH], m[process + arrivals.KEPT] = g.width, g.rows
        m[process + arrivals.ROW], m[process + arrivals.ROW_MASK] = m.rings(1, g.rows)
        m[process + arrivals.CLOSE], m[process + arrivals.CLOSE_MASK] = m.rings(1, FRAMES_AHEAD + 2)
        m[process + arrivals.MOST_AHEAD] = FRAMES_AHEAD
        # all tokens of each stored row, the end of each frame, and the token that shows
        tokens = g.rows * g.width + FRAMES_AHEAD + 2
        m[process + arrivals.TOKEN], m[process + arrivals.TOKEN_MASK] = m.rings(2, tokens)
        if sparse:
            m[process + window.FIND_LATENCY] = 1 + LIST_LATENCY
            m[process + window.WINDOW] = self.classes.windows_of[op.node.name]
            for since in (window.LOOKED, window.GIVEN_AT, window.FREE_AT, window.FOUND_FROM):
                m[process + since] = -1
            return process
        m[process + window.STRIDE], m[process + window.PADDING] = g.stride, g.padding
        m[process + window.REACH], m[process + window.HEIGHT] = g.kernel - 1 - g.padding, g.height
        m[process + window.OUT_HEIGHT], m[process + window.OUT_WIDTH] = g.out_height, g.out_width
        m[process + window.INSIDE_Y] = m.table(_taps_inside(g.height, g.out_height, g))
        m[process + window.INSIDE_X] = m.table(_taps_inside(g.width, g.out_width, g))
        return process


def _flows(rounds: Rounds, depth: int, pipeline: int) -> bool:
    """Whether the rounds of an op never wait for room, as long as all their beats leave when they are offered.

    A round needs the place of a beat that was made ``before`` rounds earlier.
    """
    beats = depth - rounds.beats + 1
    before = -(-beats // rounds.beats)
    last = before * rounds.beats - beats
    return not rounds.whole_frame and (before - 1) * max(rounds.words, rounds.beats) > pipeline + last


def _taps_inside(side: int, out: int, g: WindowGeometry) -> list[int]:
    """For each output index, how many of the window's taps lie inside the frame."""
    starts = [g.stride * n - g.padding for n in range(out)]
    return [sum(0 <= start + k < side for k in range(g.kernel)) for start in starts]
