"""From accumulators to codes: requantize lanes, the serializer of an op's results, and its output queue."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.weights import IN_LUTS
from hw.streams.layout import TokenLayout, index_bits
from hw.streams.stream import Queue, delay_line
from models.ir.accumulator import width
from models.ir.dtype import DType
from models.ir.requant import MULT_BITS, Requant


def requantize_latency(dtype: DType) -> int:
    """Cycles of a ``Requantizer``: constants, bias, narrowing, product, rounding, clip; of a tapered format an encoder.

    Parameters
        dtype      format of the codes
    """
    return 6 + dtype.tapered


def biased_width(requant: Requant, bounds: tuple[int, int]) -> int:
    """Bits of every possible sum with its fraction bits and its bias.

    Parameters
        requant    constants of all channels
        bounds     lowest and highest sum
    """
    low, high = (bound << requant.fraction for bound in bounds)
    return max(width(low + int(requant.bias.min()), high + int(requant.bias.max())), width(low, high))


def narrow_width(requant: Requant, biased: int, guard_bits: int) -> int:
    """The fewest bits to which a biased sum can be saturated before it is multiplied, without changing any result.

    A sum beyond these bits is clipped to the same result as the last sum within them. The product often fits one DSP
    block, where the product of the whole sum would not.

    Parameters
        requant       constants of all channels
        biased        bits of a biased sum
        guard_bits    fraction bits of the result, which is then rounded down; 0 where the result is rounded to nearest
    """
    least = min((mult for mult in requant.mult.tolist() if mult), default=0)
    half = _half(requant, guard_bits)
    for bits in range(2, biased):
        low, high = (
            ((end * least << guard_bits) + half) >> requant.shift for end in (-(1 << bits - 1), (1 << bits - 1) - 1)
        )
        if high >= requant.hi << guard_bits and low <= requant.lo << guard_bits:
            return bits
    return biased


def _half(requant: Requant, guard_bits: int) -> int:
    """What is added before the shift, to round to nearest; 0 where a tapered format's encoder rounds instead."""
    return 0 if guard_bits else (1 << requant.shift) >> 1


class Requantizer(wiring.Component):
    """Requantize lanes: sums to codes, exactly as golden's ``to_dtype``.

    Parameters
        requant    constants of all channels
        dtype      format of the codes
        lanes      sums per cycle
        bounds     lowest and highest sum
        encoded    whether it gives codes; otherwise clipped integers, exactly as golden's ``requantize``
    Ports
        value0, ...      in, ``lanes`` sums, signed
        index            in, number of this beat in its token: it says which ``lanes`` channels the sums are
        codes            out, ``lanes`` codes, the first one lowest; only where ``encoded``
        integer0, ...    out, ``lanes`` clipped integers, signed; only where not ``encoded``
    Timing
        II         1 beat per cycle
        latency    ``requantize_latency(dtype)`` cycles for codes, 6 for integers
    Reset          clears the beats in the pipeline
    """

    def __init__(
        self, requant: Requant, dtype: DType, lanes: int, bounds: tuple[int, int], *, encoded: bool = True
    ) -> None:
        self.requant, self.dtype, self.lanes, self.encoded = requant, dtype, lanes, encoded
        self.beats = len(requant.bias) // lanes
        self.in_width = width(*bounds)
        self.biased_width = biased_width(requant, bounds)
        self.guard_bits = dtype.guard_bits if encoded else 0
        self.narrow_width = narrow_width(requant, self.biased_width, self.guard_bits)
        self.lo, self.hi = requant.lo << self.guard_bits, requant.hi << self.guard_bits
        self.out_width = width(self.lo, self.hi)
        values = {f"value{n}": In(signed(self.in_width)) for n in range(lanes)}
        if encoded:
            outs = {"codes": Out(lanes * dtype.width)}
        else:
            outs = {f"integer{n}": Out(signed(self.out_width)) for n in range(lanes)}
        super().__init__({**values, "index": In(index_bits(self.beats)), **outs})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        r = self.requant
        bias_bits = max(width(int(r.bias.min()), int(r.bias.max())), r.fraction + 1)
        biases = self._constants(m, r.bias, bias_bits, True, "bias", 0)
        mults = self._constants(m, r.mult, MULT_BITS, False, "mult", 2)
        half = _half(r, self.guard_bits)
        product_bits = self.narrow_width + MULT_BITS
        for n in range(self.lanes):
            value = Signal(signed(self.in_width), name=f"held{n}")
            biased = Signal(signed(self.biased_width), name=f"biased{n}")
            narrow = Signal(signed(self.narrow_width), name=f"narrow{n}")
            product = Signal(signed(product_bits), name=f"product{n}")
            rounded = Signal(signed(max(1, product_bits + 1 - r.shift)), name=f"rounded{n}")
            scaled = product << self.guard_bits
            clipped = Signal(signed(self.out_width), name=f"clipped{n}")
            m.d.sync += [
                value.eq(getattr(self, f"value{n}")),
                biased.eq(_added(value, biases[n], r.fraction)),
                narrow.eq(_saturated(biased, self.narrow_width)),
                product.eq(narrow * mults[n]),
                rounded.eq((scaled + half) >> r.shift),
                clipped.eq(Mux(rounded < self.lo, self.lo, Mux(rounded > self.hi, self.hi, rounded))),
            ]
            if not self.encoded:
                m.d.comb += getattr(self, f"integer{n}").eq(clipped)
                continue
            code = codec(self.dtype).encode(m, clipped, f"lane{n}")
            if self.dtype.tapered:
                held = Signal(self.dtype.width, name=f"code{n}")
                m.d.sync += held.eq(code)
                code = held
            m.d.comb += self.codes.word_select(n, self.dtype.width).eq(code)
        return m

    def _constants(
        self, m: Module, values: np.ndarray, bits: int, is_signed: bool, name: str, delay: int
    ) -> list[Value]:
        """Each lane's constant for the beat whose ``index`` arrived ``1 + delay`` cycles ago."""
        shape = signed(bits) if is_signed else unsigned(bits)
        table = values.reshape(self.beats, self.lanes).tolist()
        if all(row == table[0] for row in table):
            return [Const(value, shape) for value in table[0]]
        words = [sum((v & ((1 << bits) - 1)) << n * bits for n, v in enumerate(row)) for row in table]
        rom = memory.Memory(shape=unsigned(bits * self.lanes), depth=self.beats, init=words, attrs=IN_LUTS)
        m.submodules[name] = rom
        read = rom.read_port()
        m.d.comb += read.addr.eq(delay_line(m, self.index, delay, f"{name}_index"))
        lanes = [read.data.word_select(n, bits) for n in range(self.lanes)]
        return [lane.as_signed() if is_signed else lane for lane in lanes]


def _added(value: Signal, bias: Value, fraction: int) -> Value:
    """``(value << fraction) + bias``: the fraction bits of the sum are the bias's own, so only the others are added."""
    return Cat(bias[:fraction], value + bias[fraction:].as_signed()).as_signed()


def _saturated(value: Signal, bits: int) -> Value:
    """A signed value, saturated to ``bits`` bits."""
    if bits == len(value):
        return value
    sign = value[-1]
    fits = value[bits - 1 :] == sign.replicate(len(value) - bits + 1)
    return Mux(fits, value[:bits], Cat(~sign.replicate(bits - 1), sign)).as_signed()


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


def serializer_latency(dtype: DType, requant: Requant | None) -> int:
    """Cycles from a sum at an ``OutputSerializer`` to its beat.

    Parameters
        dtype      format of the codes
        requant    constants of all channels; None where the sums are codes
    """
    return 1 if requant is None else requantize_latency(dtype)


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

    def __init__(self, layout: TokenLayout, pe: int, requant: Requant | None, bounds: tuple[int, int]) -> None:
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
            m.submodules.requantize = requantize = Requantizer(self.requant, self.layout.dtype, lanes, self.bounds)
            # a counter, so that a register addresses the constants
            beats = self.layout.beats_per_token
            index = Signal(index_bits(beats))
            with m.If(sending):
                m.d.sync += index.eq(Mux(index == beats - 1, 0, index + 1))
            m.d.comb += [requantize.index.eq(index), codes.eq(requantize.codes)]
            m.d.comb += [getattr(requantize, f"value{n}").eq(value) for n, value in enumerate(values)]
        m.d.comb += self.payload.features.as_value().eq(Mux(sent_end, 0, codes))
        return m
