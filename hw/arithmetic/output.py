"""The output of an op: the serializer of its results, and its queue, in which places are reserved."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.rescaler import Rescaling, rescale_latency, rescaler
from hw.streams.layout import TokenLayout, index_bits
from hw.streams.stream import Queue, delay_line
from models.ir.accumulator import width
from models.ir.dtype import DType

ROOM_DELAY = 2
"""Cycles from when a beat leaves a ``CreditFifo`` until its place is free for another."""


class CreditFifo(wiring.Component):
    """The output queue of an op. Places are reserved before the op starts to compute what fills them.

    Parameters
        layout     layout of the beats
        depth      places for beats
        batch      places that ``open`` asks for
    Ports
        reserve    in, how many places to reserve
        push       in, high for a beat, which is always accepted because its place is reserved
        payload    in, the beat
        open       out, high while at least ``batch`` places are neither reserved nor filled
        o          out, the beats
    Timing
        II         1 beat per cycle
        latency    ``queue_latency(depth)`` cycles; a reserved place counts in the next cycle, and a place is free
                   ``ROOM_DELAY`` cycles after its beat has left
    Reset          drops all beats and reservations
    """

    def __init__(self, layout: TokenLayout, depth: int, batch: int = 1) -> None:
        self.layout, self.depth, self.batch = layout, depth, batch
        super().__init__(
            {
                "reserve": In(range(depth + 1)),
                "push": In(1),
                "payload": In(layout.struct),
                "open": Out(1),
                "o": Out(layout.signature),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = queue = Queue(self.layout.struct, self.depth)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        # free places less a batch, so that the sign says whether there is room for a batch
        left, room = Signal(), Signal(range(-self.batch, self.depth - self.batch + 1), init=self.depth - self.batch)
        m.d.sync += [left.eq(self.o.valid & self.o.ready), room.eq(room - self.reserve + left)]
        m.d.comb += [
            queue.i.valid.eq(self.push),
            queue.i.payload.eq(self.payload),
            self.open.eq(room >= 0),
        ]
        return m


def serializer_latency(dtype: DType, requant: Rescaling | None) -> int:
    """Cycles from a sum at an ``OutputSerializer`` to its beat.

    Parameters
        dtype      format of the codes
        requant    constants of all channels; None where the sums are codes
    """
    return 1 if requant is None else rescale_latency(requant, dtype)


class OutputSerializer(wiring.Component):
    """Serializes ``pe`` final sums through ``layout.lanes`` requantize lanes into ``pe / lanes`` beats.

    Parameters
        layout     layout of the beats
        pe         sums at a time, a multiple of ``layout.lanes``
        requant    constants of all channels; None where the sums are codes already
        bounds     lowest and highest sum
    Ports
        sum0, ...    in, ``pe`` sums; those of a token's channels come in order
        last         in, high when the sums are final; at most once in ``pe / lanes`` cycles
        y, x         in, the site of the sums
        end          in, high to push an ``end`` beat; not while beats of sums are being sent
        push         out, high for a beat, to ``CreditFifo.push``
        payload      out, the beat, to ``CreditFifo.payload``
    Timing
        II         ``pe / lanes`` cycles per ``pe`` sums
        latency    ``serializer_latency`` cycles to the first beat; the others follow one per cycle
    Reset          drops all sums and beats
    """

    def __init__(self, layout: TokenLayout, pe: int, requant: Rescaling | None, bounds: tuple[int, int]) -> None:
        self.layout, self.pe, self.requant, self.bounds = layout, pe, requant, bounds
        self.beats = pe // layout.lanes
        self.sum_shape = unsigned(layout.dtype.width) if requant is None else signed(width(*bounds))
        place = {name: layout.struct[name].shape for name in ("y", "x")}
        super().__init__(
            {
                **{f"sum{p}": In(self.sum_shape) for p in range(pe)},
                "last": In(1),
                "end": In(1),
                **{name: In(shape) for name, shape in place.items()},
                "push": Out(1),
                "payload": Out(layout.struct),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes, latency = self.layout.lanes, serializer_latency(self.layout.dtype, self.requant)
        sums = [getattr(self, f"sum{p}") for p in range(self.pe)]
        values: list[Value] = sums[:lanes]
        sending = self.last
        y, x = self.y, self.x
        if self.beats > 1:
            # the first beat is sent at once; the others wait in a shift register
            waiting = [Signal(self.sum_shape, name=f"waiting{p}") for p in range(self.pe - lanes)]
            left = Signal(range(self.beats))
            y_held, x_held = Signal.like(y), Signal.like(x)
            m.d.sync += [a.eq(b) for a, b in zip(waiting, [*waiting[lanes:], *waiting[:lanes]], strict=True)]
            with m.If(self.last):
                m.d.sync += [a.eq(b) for a, b in zip(waiting, sums[lanes:], strict=True)]
                m.d.sync += [left.eq(self.beats - 1), y_held.eq(y), x_held.eq(x)]
            with m.Elif(left != 0):
                m.d.sync += left.eq(left - 1)
            values = [Mux(self.last, a, b) for a, b in zip(values, waiting[:lanes], strict=True)]
            sending = self.last | (left != 0)
            y, x = Mux(self.last, y, y_held), Mux(self.last, x, x_held)

        push, end, out_y, out_x = Signal(), Signal(), Signal.like(self.y), Signal.like(self.x)
        m.d.comb += [
            push.eq(sending | self.end),
            end.eq(self.end),
            out_y.eq(Mux(self.end, 0, y)),
            out_x.eq(Mux(self.end, 0, x)),
        ]
        sent_end = delay_line(m, end, latency, "end")
        m.d.comb += [
            self.push.eq(delay_line(m, push, latency, "push")),
            self.payload.end.eq(sent_end),
            self.payload.y.eq(delay_line(m, out_y, latency, "y")),
            self.payload.x.eq(delay_line(m, out_x, latency, "x")),
        ]
        codes = Signal(lanes * self.layout.dtype.width)
        if self.requant is None:
            for n, value in enumerate(values):
                m.d.sync += codes.word_select(n, self.layout.dtype.width).eq(value)
        else:
            m.submodules.requantize = requantize = rescaler(self.requant, self.layout.dtype, lanes, self.bounds)
            # a counter, so that a register addresses the constants
            beats = self.layout.beats_per_token
            index = Signal(index_bits(beats))
            with m.If(sending):
                m.d.sync += index.eq(Mux(index == beats - 1, 0, index + 1))
            m.d.comb += [requantize.index.eq(index), codes.eq(requantize.codes)]
            m.d.comb += [getattr(requantize, f"value{n}").eq(value) for n, value in enumerate(values)]
        m.d.comb += self.payload.features.as_value().eq(Mux(sent_end, 0, codes))
        return m
