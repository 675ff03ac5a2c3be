"""Lays out an accelerator for the compiled cycle simulator: its streams, readers and processes as records in ``m``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from cosim.cycle import process as kinds
from cosim.cycle.active_sites import Classes
from cosim.cycle.input_side import InputRecord, TokenRecord, WindowRecord
from cosim.cycle.op_state import ROOM_DELAY, ElementwiseRecord, OpRecord, PoolRecord, TurnRecord
from cosim.cycle.ports import MaskSourceRecord, PortRecord, SinkRecord, SourceRecord
from cosim.cycle.process import ProcessRecord
from cosim.cycle.queues import QueueRecord
from cosim.cycle.records import Records
from cosim.cycle.streams import ON_TIME, ReaderRecord, StreamRecord
from cosim.cycle.windows import DenseRecord, SparseRecord
from hw.accelerator.composition import AcceleratorPlan, Edge
from hw.line_buffer.sequencer import Folds
from hw.line_buffer.sparse_sliding_window import LIST_LATENCY
from hw.line_buffer.token_buffer import FRAMES_AHEAD, RELEASE_DELAY
from hw.ops.op import Op
from hw.ops.process import BeatByBeat, FrameEnd, InTurn, TokenByToken, WindowByWindow
from hw.streams.layout import MaskLayout
from hw.streams.stream import queue_latency

Kind = TypeVar("Kind", bound=ProcessRecord)

OFFERED_AHEAD = 64
"""Beats that a source which never waits offers at a time, at least."""


class Netlist:
    """The records of an accelerator, as a run finds them.

    Parameters
        plan         the accelerator
        source       int64 ``[cycles]``, repeated: how many cycles the source waits in each cycle; empty where it never
                     waits
        sink         the same of the sink
        depths       depths of queues, by edge, in place of those of the mapping; only of edges where the mapping has a
                     queue
    Attributes
        records      ``m``
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
        self.records = Records()
        self.readers: dict[str, int] = {}
        self.queues: dict[str, int] = {}
        self.ops: dict[str, int] = {}
        self.processes: list[int] = []
        self.edges: list[str] = []
        self._entries: dict[tuple[str, int], ReaderRecord] = {}
        graph = plan.graph
        # a flag for each node, each queue, and the sink
        self._awake = self.records.record(len(graph.nodes) + sum(edge.queue > 0 for edge in plan.edges) + 1)
        self.records.header.awake = self._awake
        for node in graph.nodes:
            lanes = plan.layout(node.name).lanes
            if node is graph.input:
                process = self._source(source)
                ring = max(OFFERED_AHEAD, graph.shapes[node.name].channels // lanes)
            else:
                process = self._op(plan.ops[node.name])
                self.ops[node.name] = process.at
                ring = process.depth + 1
            consumers = plan.consumers(node.name)
            stream, readers = self._stream(
                node.name, lanes, process, ring, len(consumers) + (node.name == graph.output)
            )
            process.out = stream.at
            for edge, reader in zip(consumers, readers, strict=False):
                self._connect(edge, reader)
            if node.name == graph.output:
                end = readers[-1]
        self._sink(sink, end)

    def _process(self, record: type[Kind], kind: int, *readers: ReaderRecord) -> Kind:
        """A new process, the next in order, that owns ``readers``."""
        process = record.new(self.records)
        process.kind = kind
        for reader in readers:
            reader.owner = self._awake + len(self.processes)
            reader.consumer = process.at
        self.processes.append(process.at)
        return process

    def _stream(
        self, name: str, lanes: int, producer: ProcessRecord, ring: int, count: int, label: str = ""
    ) -> tuple[StreamRecord, list[ReaderRecord]]:
        """A new stream of node ``name``, and its readers."""
        label = label or name
        stream = StreamRecord.new(self.records)
        stream.ring, stream.mask = self.records.rings(2, ring)
        stream.last = stream.paced = stream.steady = -1
        stream.late = ON_TIME
        stream.producer = self._awake + self.processes.index(producer.at)
        stream.readers = count
        readers = [ReaderRecord.new(self.records) for _ in range(count)]
        stream.reader = readers[0].at
        for way, reader in enumerate(readers):
            self.readers[f"{label} copy {way}" if count > 1 else label] = reader.at
            reader.stream = stream.at
            reader.site_class = self.classes.of[name]
            reader.per_token = self.plan.graph.shapes[name].channels // lanes
            reader.edge = -1
            reader.parts_per_beat = reader.parts_per_word = 1
            reader.part_at = reader.read_at = -1
        return stream, readers

    def _connect(self, edge: Edge, reader: ReaderRecord) -> None:
        """Connect an edge to its consumer, from a reader at its producer through queue and lane converters."""
        reader.edge = len(self.edges)
        self.edges.append(edge.name)
        if edge.queue:
            key = f"{edge.producer}->{edge.consumer}"
            queue = self._process(QueueRecord, kinds.QUEUE, reader)
            self.queues[key] = reader.queue = queue.at
            queue.depth, queue.latency = self.depths.get(key, edge.queue), queue_latency(edge.queue)
            queue.source = reader.at
            stream, (out,) = self._stream(
                edge.producer, edge.layout.lanes, queue, queue.depth + 2, 1, f"queue {edge.name}"
            )
            stream.before = reader.at
            queue.sink, reader = stream.at, out
        lanes = edge.layout.lanes
        for step in edge.lanes:
            if step < lanes:
                reader.parts_per_beat = lanes // step
            else:
                reader.parts_per_word = step // lanes
            lanes = step
        self._entries[edge.consumer, edge.index] = reader

    def _stalls(self, port: PortRecord, waits: np.ndarray) -> None:
        port.period = len(waits)
        port.stalls = self.records.table(waits.tolist())

    def _source(self, waits: np.ndarray) -> SourceRecord:
        layout = self.plan.input_layout
        if not isinstance(layout, MaskLayout):
            source = self._process(SourceRecord, kinds.SOURCE)
        else:
            source = self._process(MaskSourceRecord, kinds.MASK_SOURCE)
            source.mask_bits, source.mask_words = layout.bits, layout.words
            source.mask_latency = queue_latency(layout.words)
            source.token_beats = layout.tokens.beats_per_token
            source.passed_at = -1
        self._stalls(source, waits)
        return source

    def _sink(self, waits: np.ndarray, reader: ReaderRecord) -> None:
        sink = self._process(SinkRecord, kinds.SINK, reader)
        sink.reader = reader.at
        self._stalls(sink, waits)

    def _op(self, op: Op) -> OpRecord:
        """The process of an op."""
        readers = [self._entries[op.node.name, index] for index in range(len(op.node.inputs))]
        match op.process:
            case BeatByBeat():
                record = self._process(ElementwiseRecord, kinds.ELEMENTWISE, *readers)
                record.second = readers[-1].at
                queued = readers[0] is not readers[-1] and all(map(self._queued, readers))
                record.flows = queued and op.depth >= op.pipeline + ROOM_DELAY
            case InTurn():
                record = self._process(TurnRecord, kinds.TURNS, *readers)
                record.second, (record.words, second) = readers[-1].at, op.in_beats
                record.token_words = record.words + second
            case FrameEnd(end_beats):
                record = self._process(PoolRecord, kinds.POOL, *readers)
                record.end_beats, record.words = end_beats, op.in_layout.beats_per_token
            case TokenByToken() as own:
                record = self._tokens(op, own, readers[0])
            case WindowByWindow() as own:
                record = self._windows(op, own, readers[0])
        record.reader, record.depth, record.pipeline = readers[0].at, op.depth, op.pipeline
        return record

    def _queued(self, reader: ReaderRecord) -> bool:
        """Whether a reader takes beats from a queue as they are."""
        return (
            StreamRecord(self.records, reader.stream).before > 0 and reader.parts_per_beat == reader.parts_per_word == 1
        )

    def _folds(self, record: InputRecord, op: Op, folds: Folds) -> None:
        record.flows = _flows(folds, op.depth, op.pipeline)
        record.neuron_folds, record.beats, record.synapse_folds = folds.neuron_folds, folds.beats, folds.synapse_folds
        record.walks, record.whole_frame = folds.kernel is not None, folds.whole_frame
        record.end_beats, record.end_interval = folds.end_beats, folds.end_interval
        record.release = RELEASE_DELAY
        record.done = record.head_at = record.left_head_at = -1
        record.last_step, record.last_end = -folds.beats, -folds.end_interval
        record.token_words = op.in_layout.beats_per_token

    def _tokens(self, op: Op, own: TokenByToken, reader: ReaderRecord) -> TokenRecord:
        record = self._process(TokenRecord, kinds.TOKENS, reader)
        self._folds(record, op, own.folds)
        record.slots = own.slots
        record.slot, _ = self.records.rings(2, own.slots)
        return record

    def _windows(self, op: Op, own: WindowByWindow, reader: ReaderRecord) -> WindowRecord:
        rings, g = self.records.rings, own.geometry
        record = self._process(SparseRecord if own.sparse else DenseRecord, kinds.WINDOWS, reader)
        self._folds(record, op, own.folds)
        record.sparse, record.width, record.stored = own.sparse, g.width, g.rows
        record.row, record.row_mask = rings(1, g.rows)
        record.close, record.close_mask = rings(1, FRAMES_AHEAD + 2)
        record.most_ahead = FRAMES_AHEAD
        # all tokens of each stored row, the end of each frame, and the token that shows
        record.token, record.token_mask = rings(2, g.rows * g.width + FRAMES_AHEAD + 2)
        if isinstance(record, SparseRecord):
            record.find_latency = 1 + LIST_LATENCY
            record.window = self.classes.windows_of[op.node.name]
            record.lookup_at = record.handover_at = record.free_at = record.find_from = -1
            return record
        record.stride_y, record.stride_x, record.before_y = g.y.stride, g.x.stride, g.y.before
        record.below_y, record.below_x = g.y.below, g.x.below
        record.height, record.out_height, record.out_width = g.height, g.out_height, g.out_width
        record.inside_y = self.records.table(g.y.taps_inside(g.height))
        record.inside_x = self.records.table(g.x.taps_inside(g.width))
        return record


def _flows(folds: Folds, depth: int, pipeline: int) -> bool:
    """Whether the rounds of an op never wait for room, as long as all their beats leave when they are offered.

    A round needs the place of a beat that was made ``before`` rounds earlier.
    """
    beats = depth - folds.beats + 1
    before = -(-beats // folds.beats)
    last = before * folds.beats - beats
    return not folds.whole_frame and (before - 1) * max(folds.synapse_folds, folds.beats) > pipeline + last
