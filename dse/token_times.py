"""When every token of a stream of frames passes every op: a more exact estimate than that of the optimisation problem.

The integer program has two times for each op, its first output and its last. Here each token has its own times,
computed from the active pixels of each frame: when its first and its last beat move, and when the first and the last
step of its site are done. A time is the latest of several others plus a delay each: the input that a site waits for,
the site before it, and the space that it needs in the line buffer, the output FIFO, or the FIFO before an add. The
cycle simulator has a time for every beat of a token; here only the first and the last beat have one, and those in
between follow at the pace at which they are made or taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dse.token_streams import (
    NOTHING,
    ROOM_DELAY,
    UNKNOWN,
    After,
    Behind,
    Consumer,
    Pace,
    Series,
    TokenStream,
    join,
    solve_times,
)
from hw.accelerator.composition import AcceleratorPlan, Edge
from hw.line_buffer.token_buffer import FRAMES_AHEAD, RELEASE_DELAY
from hw.ops.op import Op
from hw.ops.process import BeatByBeat, FrameEnd, InTurn, TokenByToken, WindowByWindow
from hw.streams.layout import MaskLayout
from hw.streams.mask_input import mask_latency
from hw.streams.stream import queue_latency
from models.ir.node import NodeSites


class Tokens(NamedTuple):
    """The tokens of a node's stream, frame by frame; the ``end`` of a frame follows its tokens.

    Parameters
        first  int64 [tokens], the cycle in which each token's first beat is offered
        last   int64 [tokens], the cycle in which each token's last beat is offered
        ends   int64 [frames], the index of each frame's ``end``
    """

    first: np.ndarray
    last: np.ndarray
    ends: np.ndarray

    @property
    def closes(self) -> np.ndarray:
        """The cycle of each frame's last token, or of its ``end`` where the frame is empty."""
        starts = np.append(0, self.ends[:-1] + 1)
        return self.last[np.maximum(self.ends - 1, starts)]


class Passage(NamedTuple):
    """When frames pass the accelerator.

    Parameters
        tokens  tokens of each node's stream, by node name
        starts  int64 [frames], the cycle in which the first beat of each frame enters
    """

    tokens: dict[str, Tokens]
    starts: np.ndarray


def passage(plan: AcceleratorPlan, frames: Sequence[dict[str, NodeSites]], *, apart: bool = False) -> Passage:
    """Compute when the tokens of some frames pass every op.

    Parameters
        plan    the composed accelerator
        frames  result of ``walk`` for each frame
        apart   True: each frame begins when the one before has left; False: frames follow back to back
    Raises      RuntimeError: when the accelerator would deadlock
    """
    return _Network(plan, frames).solve_times(apart)


class _Network:
    """The times of all tokens of an accelerator, and what each of them waits for."""

    def __init__(self, plan: AcceleratorPlan, frames: Sequence[dict[str, NodeSites]]) -> None:
        self.plan, self.frames = plan, frames
        self.size = 0
        self.series: list[Series] = []
        self.streams: list[TokenStream] = []
        self.of: dict[str, TokenStream] = {}
        self.ends: dict[str, np.ndarray] = {}
        for node in plan.graph.nodes:
            counts = np.array([len(sites[node.name].sites) for sites in frames])
            self.ends[node.name] = np.cumsum(counts + 1) - 1
            if node is plan.graph.input:
                layout = plan.input
                self.source = self._new(node.name)
                beats = np.where(self._closing(node.name), 1, layout.beats_per_token)
                self._offer(node.name, self.source.all, self.source.all.later(beats - 1), layout.beats_per_token)
                continue
            op = plan.ops[node.name]
            inputs = [self._edge_stream(edge) for edge in plan.edges if edge.consumer == node.name]
            match op.process:
                case TokenByToken() as process if process.folds.whole_frame:
                    self._frame_sums(op, process, inputs[0])
                case TokenByToken() | WindowByWindow() as process:
                    self._windows(op, process, inputs[0])
                case FrameEnd() as process:
                    self._at_ends(op, inputs[0], self._read(inputs[0]).first, process.end_beats)
                case BeatByBeat():
                    self._beats(op, inputs)
                case InTurn():
                    self._turns(op, *inputs)

    def solve_times(self, apart: bool) -> Passage:
        graph, layout = self.plan.graph, self.plan.input_layout
        late = layout.words + mask_latency(layout) if isinstance(layout, MaskLayout) else 0
        starts = _starts(self.ends[graph.input.name])
        # the consumer of the output never stalls, but space in the output FIFO is free only after a beat is taken
        self._read(self.of[graph.output])
        for stream in self.streams:
            stream.close()
        for consumer in self.of[graph.input.name].consumers:
            self.source.wait(consumer.last.previous().later(1))
            self.source.wait(consumer.last.all.at(starts[1:] - 1).later(1 + late), starts[1:])
        if apart:
            out = self.of[graph.output].last.at(self.ends[graph.output][:-1])
            self.source.wait(out.later(1 + late), starts[1:])
        times = solve_times(self.series, self.size)
        if np.any(times == UNKNOWN):
            raise RuntimeError(f"graph {graph.name!r} hangs with this mapping: a queue before an add is too short")
        tokens = {
            name: Tokens(
                times[own.first.times] + own.first.cycles, times[own.last.times] + own.last.cycles, self.ends[name]
            )
            for name, own in self.of.items()
        }
        return Passage(tokens, times[self.source.all.times[starts]] - late)

    def _new(self, stream: str | int) -> Series:
        """A new series, with one time per token of a node's stream, or with as many times as a number says."""
        count = stream if isinstance(stream, int) else int(self.ends[stream][-1]) + 1
        self.series.append(Series(self.size, count))
        self.size += count
        return self.series[-1]

    def _closing(self, name: str) -> np.ndarray:
        """bool [tokens], which tokens of a node's stream are ``end``."""
        closing = np.zeros(int(self.ends[name][-1]) + 1, dtype=bool)
        closing[self.ends[name]] = True
        return closing

    def _offer(self, name: str, first: After, last: After, beats: int, paces: Sequence[Pace] = ()) -> TokenStream:
        """Make a stream the output of a node."""
        self.of[name] = self._stream(first, last, self._closing(name), beats, paces)
        return self.of[name]

    def _stream(
        self, first: After, last: After, ends: np.ndarray, beats: int, paces: Sequence[Pace] = ()
    ) -> TokenStream:
        self.streams.append(TokenStream(first, last, ends, beats, paces))
        return self.streams[-1]

    def _read(
        self, stream: TokenStream, apart: int = 1, stalls: tuple[int, ...] = (0,), behind: Behind | None = None
    ) -> Consumer:
        """A new consumer of a stream that takes each beat as soon as it comes."""
        count = len(stream.beats)
        return join(stream, Consumer(self._new(count), self._new(count), apart, stalls, behind))

    # between the ops

    def _edge_stream(self, edge: Edge) -> TokenStream:
        """The stream of an edge behind its FIFO and its converters."""
        stream = self.of[edge.producer]
        if edge.queue:
            stream = self._fifo(stream, edge.queue)
        lanes = edge.layout.lanes
        for step in edge.lanes:
            stream = self._narrower(stream, lanes // step) if step < lanes else self._wider(stream, step // lanes)
            lanes = step
        return stream

    def _fifo(self, stream: TokenStream, depth: int) -> TokenStream:
        latency = queue_latency(depth)
        # in a FIFO in block memory, the beat that is offered at the output no longer occupies a place
        places = depth + (latency > 1)
        consumer = self._read(
            stream, stalls=(0, places), behind=lambda token, beat: (out, out.numbers[token] + beat - places, 1)
        )
        first, last = (series.all.later(latency) for series in consumer[:2])
        paces = [pace.later(latency) for pace in stream.paces]
        out = self._stream(first, last, stream.ends, stream.per_token, paces)
        out.wait_for_space(consumer.first, out.numbers - places, 1)
        out.wait_for_space(consumer.last, out.numbers + out.beats - 1 - places, 1)
        return out

    def _narrower(self, stream: TokenStream, parts: int) -> TokenStream:
        """A converter to fewer lanes.

        A beat enters once all parts of the beat before it are out; its own parts follow.
        """

        def behind(token: np.ndarray, beat: np.ndarray) -> tuple[TokenStream, np.ndarray, int]:
            return out, out.numbers[token] + beat * parts - 1, 0

        consumer = self._read(stream, parts, (0, 1), behind)
        own = np.where(stream.ends, 1, parts)
        out = self._stream(
            consumer.first.all.later(1), consumer.last.all.later(own), stream.ends, stream.per_token * parts
        )
        out.wait_for_space(consumer.first, out.numbers - 1, 0)
        out.wait_for_space(consumer.last, out.numbers + out.beats - 1 - own, 0)
        return out

    def _wider(self, stream: TokenStream, parts: int) -> TokenStream:
        """A converter to more lanes.

        The beat that completes a word enters when the word before it moves on.
        """

        def behind(token: np.ndarray, beat: np.ndarray) -> tuple[TokenStream, np.ndarray, np.ndarray]:
            whole = (beat + 1) // own[token]
            return out, np.where(whole > 0, out.numbers[token] + whole - 2, NOTHING), (beat + 1) % own[token]

        consumer = self._read(stream, 1, (parts - 1, 2 * parts - 1), behind)
        own, words = np.where(stream.ends, 1, parts), stream.per_token // parts
        complete = consumer.last
        if words > 1:
            complete = self._new(len(own))
            complete.wait(consumer.first.all.later(own - 1))
            for pace in stream.paces:
                complete.wait(pace.after.later(np.where(stream.ends, 0, pace.cycles(parts - 1))))
        out = self._stream(complete.all.later(1), consumer.last.all.later(1), stream.ends, words)
        out.wait_for_space(complete, out.numbers - 1, 0)
        out.wait_for_space(consumer.last, out.numbers + out.beats - 2, 0)
        return out

    # ops

    def _windows(self, op: Op, process: TokenByToken | WindowByWindow, stream: TokenStream) -> None:
        folds, name = process.folds, op.node.name
        own = [sites[name] for sites in self.frames]
        starts = _starts(self.ends[op.node.inputs[0]])
        begin, done = self._new(name), self._new(name)
        closing = self._closing(name)
        taps = np.ones(len(closing), dtype=np.int64)
        consumer = self._read(stream)
        if isinstance(process, TokenByToken):
            begin.wait(consumer.last.all.later(op.start))
            _wait_for_slots(consumer, done, process.slots)
        else:
            taps[~closing] = np.concatenate([frame.taps for frame in own])
            self._wait_for_rows(op, process, stream, consumer, begin, done, starts)
        kinds = range(int(taps.max(initial=1)) + 1)
        cycles = np.where(closing, 1, np.array([folds.cycles(count) for count in kinds])[taps])
        steps = np.where(closing, 1, np.array([folds.fold_cycles(count) for count in kinds])[taps])
        # an ``end`` waits until the beats of the round before it are out
        begin.wait(done.previous().later(np.where(closing, folds.beats - 1, 0)))
        done.wait(begin.all.later(cycles))
        first = begin.all.later(steps - 1 + op.pipeline)
        last = done.all.later(op.pipeline - 1 + np.where(closing, 0, folds.beats - 1))
        pace = Pace(first, lambda beat: beat // folds.beats * steps + beat % folds.beats)
        out = self._offer(name, first, last, folds.neuron_folds * folds.beats, [pace])
        # a round begins when the output FIFO has room for its beats
        out.wait_for_space(begin, out.numbers + folds.beats - op.depth - 1, ROOM_DELAY)
        out.folds(done, folds, op.depth, steps)

    def _wait_for_rows(
        self,
        op: Op,
        process: WindowByWindow,
        stream: TokenStream,
        consumer: Consumer,
        begin: Series,
        done: Series,
        starts: np.ndarray,
    ) -> None:
        """Add the bounds of the line buffer.

        A site waits for the tokens in its window. The first token of a row waits until the storage of an earlier row is
        free.
        """
        g, sparse, name = process.geometry, process.sparse, op.node.name
        ends, input_ends = self.ends[name], self.ends[op.node.inputs[0]]
        offered = consumer.first
        if sparse:
            # the beat after the last token of a site need not be taken, it only has to be offered
            offered = self._new(len(stream.beats))
            offered.wait(stream.first)
            offered.wait(consumer.last.previous().later(1))
            consumer.first.wait(offered.all)
        complete = np.zeros(int(ends[-1]) + 1, dtype=np.int64)
        whole = np.ones(len(complete), dtype=bool)
        first, releases = [], []
        for number, sites in enumerate(frame[name] for frame in self.frames):
            start, end = ends[number] - len(sites.sites), ends[number]
            complete[start:end] = starts[number] + sites.needs - 1
            whole[start:end] = sites.whole
            # in a dense op the last token closes the frame
            complete[end] = input_ends[number] - (not sparse and input_ends[number] > starts[number])
            lines, places = np.unique(sites.source[:, 0], return_index=True)
            first.append(starts[number] + places)
            releases.append(start + _freeing(process, sites, lines))
        start, wait = np.concatenate(first), np.concatenate(releases)
        after = consumer.last.all.at(complete)
        begin.wait(After(np.where(whole, after.times, offered.all.times[complete]), after.cycles + op.start))
        row_count, late = g.rows, RELEASE_DELAY - 1
        wait = wait[: max(0, len(wait) - row_count)]
        start = start[row_count:]
        # where the site that would free a row needs tokens that wait for this row, a position before it without a
        # site frees the row
        early = (complete[wait] > start) | ((complete[wait] == start) & whole[wait])
        wait = np.where(early, wait - 1, wait)
        freeing = begin if sparse else done
        consumer.first.wait(freeing.all.at(wait).later(late), start)
        ahead = input_ends[FRAMES_AHEAD:] if sparse else starts[FRAMES_AHEAD:]
        # the line buffer closes a frame when it finds or sees the ``end``, two registers before the first step
        closed = 4 if sparse else 2
        consumer.first.wait(begin.all.at(ends[: len(ahead)]).later(1 - closed), ahead)

    def _frame_sums(self, op: Op, process: TokenByToken, stream: TokenStream) -> None:
        """Tokens are summed one after the other; the results leave at the frame's end."""
        folds = process.folds
        consumer, begin, done = self._read(stream), self._new(len(stream.beats)), self._new(len(stream.beats))
        begin.wait(consumer.last.all.later(op.start))
        begin.wait(done.previous())
        done.wait(begin.all.later(np.where(stream.ends, 1, folds.cycles(1))))
        _wait_for_slots(consumer, done, process.slots)
        self._at_ends(op, stream, begin, folds.end_interval)

    def _at_ends(self, op: Op, stream: TokenStream, begin: Series, apart: int) -> None:
        """All beats of a frame leave at its ``end``, once those of the frame before are out."""
        ends, beats = np.flatnonzero(stream.ends), op.out_layout.beats_per_token
        begin.wait(begin.all.at(ends[:-1]).later(apart), ends[1:])
        closed = begin.all.at(ends).later(op.pipeline)
        times, since = np.repeat(closed.times, 2), np.repeat(closed.cycles, 2)
        first, last = (After(times, since + np.tile([late, beats], len(ends))) for late in (0, beats - 1))
        out = self._offer(op.node.name, first, last, beats)
        targets = np.full(begin.count, NOTHING)
        targets[ends] = out.numbers[::2] + beats - op.depth
        out.wait_for_space(begin, targets, ROOM_DELAY)

    def _beats(self, op: Op, inputs: list[TokenStream]) -> None:
        """One beat of every input is taken together, and one beat comes out."""
        count, pipeline = len(inputs[0].beats), op.pipeline
        consumer = Consumer(self._new(count), self._new(count))
        for stream in inputs:
            join(stream, consumer)
        out = self._offer(
            op.node.name, consumer.first.all.later(pipeline), consumer.last.all.later(pipeline),
            inputs[0].per_token, [pace.later(pipeline) for stream in inputs for pace in stream.paces],
        )  # fmt: skip
        out.wait_for_space(consumer.first, out.numbers - op.depth, ROOM_DELAY)
        out.wait_for_space(consumer.last, out.numbers + out.beats - 1 - op.depth, ROOM_DELAY)

    def _turns(self, op: Op, a: TokenStream, b: TokenStream) -> None:
        """A token's beats are taken from the first input, then those from the second; both ends are taken at once."""
        first, second, ends = self._read(a), self._read(b), a.ends
        second.first.wait(first.last.all.later(np.where(ends, 0, 1)))
        first.first.wait(second.last.previous().later(1))
        begin = After(np.where(ends, second.first.all.times, first.first.all.times), np.full(len(ends), op.pipeline))
        out = self._offer(op.node.name, begin, second.last.all.later(op.pipeline), sum(op.in_beats))
        parting = np.where(ends, 0, op.in_beats[0])
        for consumer, beat in ((first, 0), (second, parting)):
            out.wait_for_space(consumer.first, out.numbers + beat - op.depth, ROOM_DELAY)
        for consumer, beat in ((first, np.maximum(parting, 1)), (second, out.beats)):
            out.wait_for_space(consumer.last, out.numbers + beat - 1 - op.depth, ROOM_DELAY)


def _starts(ends: np.ndarray) -> np.ndarray:
    """The index of each frame's first token, from the indices of the ``end`` tokens."""
    return np.append(0, ends[:-1] + 1)


def _wait_for_slots(consumer: Consumer, done: Series, slots: int) -> None:
    """Each token waits until the token ``slots`` before it has left its storage slot."""
    consumer.first.wait(done.all.at(np.arange(done.count) - slots).later(RELEASE_DELAY - 1))


def _freeing(process: WindowByWindow, sites: NodeSites, rows: np.ndarray) -> np.ndarray:
    """The number of the site that frees each of a frame's rows; the number of the ``end`` where no site does.

    In a sparse op it is the first site that no longer reads the row, when it begins; in a dense op it is the last site
    of a row of windows, when it is done.
    """
    g = process.geometry
    if process.sparse:
        return np.searchsorted(g.y.stride * sites.sites[:, 0] - g.y.before, rows, side="right")
    below = np.arange(g.out_height)
    read = np.minimum(below * g.y.stride + g.y.below, g.height - 1) + 1
    bounds = np.minimum((below + 1) * g.y.stride - g.y.before, read)
    bounds[-1] = read[-1]
    row = np.searchsorted(np.maximum.accumulate(bounds), rows, side="right")
    return np.where(row < g.out_height, (row + 1) * g.out_width - 1, len(sites.sites))
