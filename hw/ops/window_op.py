"""What convolution and pooling share: a sliding window, rounds over output channels, and an array of sums.

A site takes ``ceil(active/taps) * words * folds`` cycles. A round computes ``pe`` output channels. It goes over all
``words = c_in/simd`` words of a token, or over one word where the op is channelwise. Each frame adds the cycles of its
``end``. The input takes ``c_in/simd`` cycles per token. The larger of the two sums is the cycles of a frame.

A sparse frame costs the same sum over its sites, but it can take longer, for two reasons. The op stalls while input
arrives slower than it computes, and the stored rows absorb only a bounded burst. Storage is freed a row at a time,
``ROW_DELAY`` cycles after the row's last site. Rows with one or two tokens therefore wait where their steps are fewer
than that delay and the beats of the next row (``source.row_margin``). Where every row of windows takes longer, and for
the full frame, the sum is exact to the cycle.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from amaranth.hdl import Const, Module, Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.choice import times
from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.output import CreditFifo, OutputSerializer, serializer_latency
from hw.arithmetic.weights import pack_codes, weight_word
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, index
from hw.line_buffer.sequencer import Folds, Sequencer
from hw.line_buffer.sliding_window import SlidingWindow
from hw.line_buffer.sparse_sliding_window import SparseSlidingWindow
from hw.line_buffer.token_buffer import (
    SITE_LATENCY,
    SPARSE_SITE_LATENCY,
    TokenBuffer,
    WindowGeometry,
    dense_taps,
    read_latency,
    spare_rows,
    sparse_spare_rows,
    token_slots,
    wrap,
)
from hw.ops.latency import OpLatency
from hw.ops.op import Op, fewest_lanes, queue_depth
from hw.ops.process import TokenByToken, WindowByWindow
from hw.resources import arrays, requantizers, sequencing, sources, streams
from hw.resources.constants import constants
from hw.streams.stream import delay_line, queue_latency
from models.ir.activity import Activity
from models.ir.ops.windowed import WindowNode
from models.ir.thresholds import Rescaling
from models.ir.window import Window


class WindowOp(Op):
    """A convolution or pooling op.

    Parameters
        node       convolution or pooling
        inputs     one entry
        mapping    ``taps`` is 1 (active taps one by one) or the kernel's (all taps in one step)
    Raises         ValueError: when the mapping does not fit the node; the message names node, field and value
    """

    node: WindowNode

    @property
    @abstractmethod
    def requant(self) -> Rescaling | None:
        """Constants of the requantizer; None where the results are codes already."""

    @property
    @abstractmethod
    def channelwise(self) -> bool:
        """Whether output channel n depends on input channel n alone; then ``simd == pe``."""

    @property
    def word_groups(self) -> int:
        """Into how many parts the words of a token fall, of which an output-channel fold takes one."""
        return 1

    def first_word(self, fold: Value) -> ValueLike:
        """The first word that output-channel fold ``fold`` takes."""
        return 0

    @property
    @abstractmethod
    def accumulator(self) -> tuple[int, int]:
        """The lowest and the highest sum."""

    @property
    @abstractmethod
    def mac_array(self) -> MacArraySpec:
        """The array that reduces a window: of products, or of maxima."""

    @abstractmethod
    def weight_words(self) -> np.ndarray:
        """Weights ``[words, lanes]``, a word per step, in the order of fold, tap (if loops are serial), input word."""

    def check(self) -> None:
        self._divides("pe", self.shape.channels, "output channels")
        self._divides("simd", self.inputs[0].shape.channels, "input channels")
        self._one_of("taps", tuple(sorted({1, self.window.taps})))
        if self.channelwise:
            self._one_of("simd", (self.mapping.pe,))
        if self.finds_sites and any(axis.stride.bit_count() != 1 for axis in (self.window.y, self.window.x)):
            raise self.node.error("stride", self.node.stride, "must be 1, 2 or 4 where frames may have inactive sites")

    @cached_property
    def window(self) -> Window:
        """The window."""
        return self.node.window

    @property
    def pointwise(self) -> bool:
        """Whether a window is a single site, at stride 1."""
        return self.window.pointwise

    @cached_property
    def geometry(self) -> WindowGeometry:
        """The window over the input, with the rows that are stored."""
        i = self.inputs[0].shape
        bare = WindowGeometry(i.height, i.width, i.channels // self.in_lanes, self.window)
        cycles = self._folds(1).cycles
        spare = sparse_spare_rows(bare, cycles, self.parallel) if self.finds_sites else spare_rows(bare, cycles)
        return replace(bare, spare=spare)

    @property
    def finds_sites(self) -> bool:
        """Whether the source has to search for the active windows."""
        return self.inputs[0].sparse and not self.pointwise

    @property
    def start(self) -> int:
        """Cycles from the input beat that completes a site to the first step on it."""
        return SPARSE_SITE_LATENCY if self.finds_sites else SITE_LATENCY

    @property
    def serial_kernel(self) -> bool:
        """Whether there are several taps and the op goes over the active ones one by one."""
        return self.mapping.taps == 1 and self.window.taps > 1

    @property
    def parallel(self) -> bool:
        """Whether the source returns all taps of a window at once."""
        return not self.pointwise and not self.serial_kernel

    def _folds(self, beats: int) -> Folds:
        words = 1 if self.channelwise else self.inputs[0].shape.channels // self.mapping.simd // self.word_groups
        groups = self.shape.channels // self.mapping.pe
        if not self.serial_kernel:
            return Folds(groups, words, beats)
        kernel = self.window.y.kernel, self.window.x.kernel
        return Folds(groups, words, beats, kernel, self.window.may_be_empty)

    @cached_property
    def fold_cycles(self) -> int:
        """The fewest steps of an output-channel fold, over the sites of any frame."""
        if self.pointwise or self.finds_sites:
            return self._folds(1).fold_cycles(1)
        return self._folds(1).fold_cycles(next(taps for taps, sites in enumerate(dense_taps(self.geometry)) if sites))

    @cached_property
    def out_lanes(self) -> int:
        return fewest_lanes(self.mapping.pe, self.fold_cycles)

    @cached_property
    def folds(self) -> Folds:
        """How a site is split into steps."""
        return self._folds(self.mapping.pe // self.out_lanes)

    def _steps(self, sites: Sequence[float]) -> float:
        """Cycles of a frame with ``sites[j]`` sites of j active taps, with its ``end``."""
        return sum(count * self.folds.cycles(taps) for taps, count in enumerate(sites)) + self.folds.end_cycles

    def cycles(self, activity: Activity) -> int:
        sites = (0.0, activity.tokens_out) if self.pointwise else activity.taps
        return max(round(self._steps(sites)), round(activity.tokens_in * self.in_layout.beats_per_token) + 1)

    @cached_property
    def pipeline(self) -> int:
        """Cycles from the last step of a round to its first beat at ``o``, the output queue included."""
        return self._cycles_to_queue + queue_latency(self.depth)

    @property
    def _cycles_to_queue(self) -> int:
        """Cycles from the last step of a round until its first beat is pushed: reading, sums, drain."""
        finish = read_latency(self.parallel) + self.mac_array.latency
        return finish + serializer_latency(self.node.dtype, self.requant)

    @cached_property
    def depth(self) -> int:
        """Places of the output queue."""
        return queue_depth(
            self.fold_cycles, self.folds.beats, self._cycles_to_queue + 1, int(self._steps(self._least()))
        )

    def _least(self) -> Sequence[int]:
        """The sites of the shortest frame that is not empty, by active taps."""
        i = self.inputs[0]
        if i.sparse:
            return 0, 1
        return (0, i.shape.height * i.shape.width) if self.pointwise else dense_taps(self.geometry)

    def latency(self, activity: Activity) -> OpLatency:
        """Latency figures of a frame.

        The op is late by the work that is left at a moment of the frame, minus the time that the rest of the input
        takes. ``duration`` assumes an input of one beat per cycle; ``rest`` assumes that the input up to the knee has
        arrived; ``drain`` assumes that the last row of the input arrives as fast as the op itself works.
        """
        waits, folds = activity.waits, self.folds
        assert waits is not None
        cycles = [folds.cycles(1 if self.pointwise else taps) for taps in range(len(activity.taps))]
        steps = [folds.fold_cycles(1 if self.pointwise else taps) for taps in range(len(activity.taps))]
        beats = self.in_layout.beats_per_token
        fill = self.start + max(1, round(_sum(waits.first, steps))) - 1 + self.pipeline
        if not activity.tokens_out:
            return OpLatency(fill, fill, 0, 0, 0)
        leaving = self.start + self.pipeline + folds.beats - 2
        remaining = [_sum(stage.left, cycles) + stage.ended + leaving for stage in waits.stages]
        first_output = max(0, round(waits.start.tokens * beats) - 1) + fill
        duration = (
            max(stage.tokens * beats - 1 + own for stage, own in zip(waits.stages, remaining, strict=True))
            - first_output
        )
        work = _sum(waits.start.left, cycles)
        input_time = [
            max(own.coming * work, (activity.tokens_in - own.tokens) * beats) for own in (waits.line, waits.end)
        ]
        drain = max(own - meanwhile for own, meanwhile in zip(remaining[2:], input_time, strict=True))
        # a fraction of the input duration, rounded up, already includes the cycle of the arrival itself
        overlap = [int(stage.tokens < activity.tokens_in) for stage in (waits.start, waits.knee)]
        rest = max(0, math.ceil(remaining[1]) - overlap[1])
        return OpLatency(fill - overlap[0], first_output, max(0, math.ceil(duration)), max(0, math.ceil(drain)), rest)

    @property
    def process(self) -> TokenByToken | WindowByWindow:
        if self.pointwise:
            return TokenByToken(self.folds, token_slots(self.in_layout.beats_per_token, self.folds.cycles(1)))
        return WindowByWindow(self.folds, self.geometry, self.finds_sites)

    def parts(self, f: FpgaFamily) -> list[ResourceEstimate]:
        s, folds = self.mac_array, self.folds
        fetch = read_latency(self.parallel)
        finish = fetch + s.latency
        place = streams.place_bits(self.out_layout)
        # bits of a site: its place, and what addresses its words
        site = 1 + place
        if self.pointwise:
            source = sources.token_buffer(f, self.in_layout, folds.cycles(1))
            site += index(token_slots(self.in_layout.beats_per_token, folds.cycles(1)))
        else:
            g = self.geometry
            find = sources.sparse_sliding_window if self.finds_sites else sources.sliding_window
            source = find(f, self.in_layout, g, self.parallel)
            site += index(g.rows) * (g.y.kernel if self.finds_sites else 1)
            site += sources.column_bits(g, self.finds_sites)
        steps = 2 + site + index(folds.neuron_folds) + index(folds.synapse_folds)
        if self.pointwise:
            steps += 1
        else:
            release, mask = index(g.rows + 1), g.taps
            steps += mask * (1 + fetch) if self.parallel else index(g.y.kernel) + index(g.x.kernel)
            steps += 0 if self.finds_sites else 1 + release
            site += release + mask
        steps += fetch + finish * (2 + place)
        words = 1
        if s.weights is not None:
            walked = self.window.taps if self.serial_kernel else 1
            words = folds.neuron_folds * walked * folds.synapse_folds
        # where the address is the bits of round and word side by side, it shares their registers
        joined = not self.serial_kernel and not folds.synapse_folds & (folds.synapse_folds - 1)
        address = index(words) - (index(folds.neuron_folds) if joined else 0)
        address = 0 if joined and self.pointwise else address * (fetch - 1)
        memory = self.mapping.memory
        bits = sequencing.weight_bits(s, memory, words, self.weight_words)
        fixed = constants(f, s, words, self.weight_words)
        return [
            ResourceEstimate("steps", (1.0, 0.0 if joined else index(words)), ff=steps),
            *source,
            sequencing.sequencer(folds, site),
            *sequencing.weights(f, bits, words, memory, address),
            *arrays.sums(f, s, words, bits, memory, masked=self.parallel, fixed=fixed),
            *requantizers.output_serializer(f, self.out_layout, self.mapping.pe, self.requant, self.accumulator),
            *streams.output(f, self.out_layout, self.depth, folds.beats),
        ]

    def component(self) -> WindowComponent:
        return WindowComponent(self)


def _sum(sites: Sequence[float], cycles: Sequence[int]) -> float:
    return sum(count * each for count, each in zip(sites, cycles, strict=True))


class WindowComponent(wiring.Component):
    """The pipeline of a convolution or pooling op.

    ::

        i -> source -> site -> sequencer -> step ... words ─┐
                                       weights ─────────────┴-> sums -> drain (requantize) -> output -> o

    The sequencer issues a step only when the output has room for its results, so what follows it is a plain pipeline
    without back pressure.

    Parameters
        op         the op
    Ports
        i          in, frames in ``op.in_layout``
        o          out, frames in ``op.out_layout``
    Timing
        II         1 input beat per cycle; ``op.folds.cycles(taps)`` cycles per site with so many active taps
        latency    ``op.start`` cycles from the beat that completes a site to its first step; ``op.pipeline``
                   cycles from the last step of a round to its first beat
    Reset          drops all frames
    """

    def __init__(self, op: WindowOp) -> None:
        self.op = op
        super().__init__({"i": In(op.in_layout.signature), "o": Out(op.out_layout.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        op, folds = self.op, self.op.folds
        if op.pointwise:
            source = TokenBuffer(op.in_layout, folds.cycles(1))
        elif op.finds_sites:
            source = SparseSlidingWindow(op.in_layout, op.geometry, op.parallel)
        else:
            source = SlidingWindow(op.in_layout, op.geometry, op.parallel)
        m.submodules.source = source
        m.submodules.output = output = CreditFifo(op.out_layout, op.depth, folds.beats)
        m.submodules.sequencer = sequencer = Sequencer(folds, source.site_layout, op.depth)
        m.submodules.sums = sums = op.mac_array.component()
        m.submodules.drain = drain = OutputSerializer(op.out_layout, op.mapping.pe, op.requant, op.accumulator)
        wiring.connect(m, wiring.flipped(self.i), source.i)
        wiring.connect(m, source.site, sequencer.site)
        wiring.connect(m, output.o, wiring.flipped(self.o))
        m.d.comb += [
            sequencer.open.eq(output.open),
            output.reserve.eq(sequencer.reserve),
            output.push.eq(drain.push),
            output.payload.eq(drain.payload),
        ]

        step, valid = sequencer.step, sequencer.valid
        walks, window = op.serial_kernel, op.window
        tap_y = times(step.tap_y, window.y.dilation) if walks else Const(0)
        tap_x = times(step.tap_x, window.x.dilation) if walks else Const(0)
        if isinstance(source, TokenBuffer):
            m.d.comb += [source.done.eq(sequencer.done), source.read_slot.eq(step.slot)]
        else:
            m.d.comb += source.read_column.eq(step.column + tap_x if walks else step.column)
        if isinstance(source, SparseSlidingWindow):
            m.d.comb += [
                source.done.eq(sequencer.begins),
                source.releases.eq(sequencer.begun.release),
                source.idle.eq(sequencer.idle),
                source.read_row.eq(step.rows.word_select(step.tap_y, source.row_bits) if walks else step.rows),
            ]
        elif isinstance(source, SlidingWindow):
            m.d.comb += [
                source.done.eq(sequencer.done),
                source.releases.eq(step.release),
                source.read_row.eq(wrap(step.row + tap_y, source.geometry.rows) if walks else step.row),
            ]
        fetch = read_latency(op.parallel)
        mask = step.mask if op.parallel else step.active if folds.may_be_empty else Const(1)
        m.d.comb += [
            source.read_word.eq(step.group if op.channelwise else op.first_word(step.group) + step.word),
            sums.features.eq(source.read_data),
            sums.mask.eq(delay_line(m, mask, fetch, "mask") if op.parallel or folds.may_be_empty else 1),
            sums.first.eq(delay_line(m, step.first, fetch, "first")),
        ]
        if op.mac_array.weights is not None:
            address = step.group
            if op.serial_kernel:
                address = times(address, window.taps) + times(step.tap_y, window.x.kernel) + step.tap_x
            address = times(address, folds.synapse_folds) + step.word
            words = pack_codes(op.weight_words(), op.mac_array.weights)
            word = weight_word(m, words, op.mac_array.weight_bits, op.mapping.memory, address, fetch - 2)
            m.d.comb += sums.weights.eq(word)

        finish = fetch + op.mac_array.latency
        m.d.comb += [
            drain.last.eq(delay_line(m, valid & step.last, finish, "last")),
            drain.end.eq(delay_line(m, valid & step.end, finish, "end")),
            drain.y.eq(delay_line(m, step.y, finish, "y")),
            drain.x.eq(delay_line(m, step.x, finish, "x")),
        ]
        m.d.comb += [getattr(drain, f"sum{p}").eq(value) for p, value in enumerate(sums.sums())]
        return m
