"""Streams: queues, fork, and lane-width conversion.

All follow one contract: a payload holds while ``valid & ~ready``, ``valid`` never waits for
``ready``, and nothing is reordered.
"""

from __future__ import annotations

from math import gcd
from typing import Any

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.layout import TokenLayout, index_bits

BLOCK_DEPTH = 128
"""A queue deeper than this is made of block memory."""


def delayed(m: Module, signal: Any, cycles: int, name: str) -> Any:
    """``signal`` (a value or a view) as it was ``cycles`` ago: a chain of registers, reset to 0."""
    for stage in range(cycles):
        register = Signal(signal.shape(), name=f"{name}_d{stage + 1}")
        m.d.sync += register.eq(signal)
        signal = register
    return signal


def queue_latency(depth: int) -> int:
    """Cycles from a beat's entry to its showing at the output."""
    return 1 if depth <= BLOCK_DEPTH else 2


class Queue(wiring.Component):
    """A first-in first-out buffer of ``depth`` beats.

    In and out: one stream of ``shape``. II 1; latency 1, or 2 when ``depth > BLOCK_DEPTH`` and the
    memory is a block RAM, or when a shallow one is ``registered`` as well: its output is a register, which
    holds a beat beyond ``depth``. Reset empties it.
    """

    def __init__(self, shape: ShapeLike, depth: int, *, registered: bool = False) -> None:
        if depth < 1:
            raise ValueError(f"queue depth must be positive, not {depth}")
        self.shape, self.depth, self.registered = shape, depth, registered or depth > BLOCK_DEPTH
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        attrs = {"ram_style": "block" if self.depth > BLOCK_DEPTH else "distributed"} if self.registered else {}
        m.submodules.memory = store = memory.Memory(shape=self.shape, depth=self.depth, init=[], attrs=attrs)
        write = store.write_port()
        read = store.read_port(domain="sync" if self.registered else "comb")
        head, tail = Signal(range(self.depth)), Signal(range(self.depth))
        held = Signal(range(self.depth + 1))
        take = Signal()
        put = self.i.valid & self.i.ready
        following = Signal.like(tail)
        m.d.comb += [
            self.i.ready.eq(held != self.depth),
            write.addr.eq(head),
            write.data.eq(self.i.payload),
            write.en.eq(put),
            following.eq(tail),
        ]
        with m.If(put):
            m.d.sync += head.eq(_after(head, self.depth))
        with m.If(take):
            m.d.sync += tail.eq(_after(tail, self.depth))
        m.d.sync += held.eq(held + put - take)
        if not self.registered:
            m.d.comb += [
                read.addr.eq(tail),
                self.o.valid.eq(held != 0),
                self.o.payload.eq(read.data),
                take.eq(self.o.valid & self.o.ready),
            ]
        else:
            # the memory's own output register is the head of the queue
            shown = Signal()
            m.d.comb += [
                read.addr.eq(tail),
                read.en.eq(take),
                take.eq((held != 0) & (~shown | self.o.ready)),
                self.o.valid.eq(shown),
                self.o.payload.eq(read.data),
            ]
            m.d.sync += shown.eq(take | (shown & ~self.o.ready))
        return m


def _after(pointer: Signal, depth: int):
    if depth & (depth - 1) == 0:
        return (pointer + 1)[: index_bits(depth)]

    return Mux(pointer == depth - 1, 0, pointer + 1)


class RegisterSlice(wiring.Component):
    """Two places for beats, both in registers: no path leads through, neither forward nor back.

    In and out: one stream of ``shape``. II 1, latency 1. Reset empties it.
    """

    def __init__(self, shape: ShapeLike) -> None:
        self.shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        i, o = self.i, self.o
        behind = Signal(self.shape)
        waits, free = Signal(), Signal()
        m.d.comb += [i.ready.eq(~waits), free.eq(~o.valid | o.ready)]
        m.d.sync += waits.eq((waits | i.valid) & ~free)
        with m.If(free):
            m.d.sync += [o.valid.eq(waits | i.valid), o.payload.eq(Mux(waits, behind, i.payload))]
        with m.If(~waits):
            m.d.sync += behind.eq(i.payload)
        return m


class Fork(wiring.Component):
    """Copies one stream to ``ways`` streams ``o0``, ``o1``, ...; each takes a beat when it is ready for it.

    II 1; latency 0. The input beat leaves in the cycle in which the last copy is taken.
    """

    def __init__(self, shape: ShapeLike, ways: int) -> None:
        if ways < 2:
            raise ValueError(f"a fork has two ways or more, not {ways}")
        self.ways = ways
        ports = {f"o{way}": Out(stream.Signature(shape)) for way in range(ways)}
        super().__init__({"i": In(stream.Signature(shape)), **ports})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sent = Signal(self.ways)
        served = Signal(self.ways)
        for way in range(self.ways):
            o = getattr(self, f"o{way}")
            m.d.comb += [
                o.valid.eq(self.i.valid & ~sent[way]),
                o.payload.eq(self.i.payload),
                served[way].eq(sent[way] | o.ready),
            ]
        m.d.comb += self.i.ready.eq(served.all())
        with m.If(self.i.valid):
            m.d.sync += sent.eq(Mux(self.i.ready, 0, served))
        return m


class Widen(wiring.Component):
    """Joins ``o_lanes / i_lanes`` beats of a token into one.

    ``layout`` is the input's; II is that of the input beats, latency 1 from the last of them.
    """

    def __init__(self, layout: TokenLayout, o_lanes: int) -> None:
        if o_lanes % layout.lanes:
            raise ValueError(f"{layout.lanes} lanes do not widen to {o_lanes}")
        self.layout, self.ways = layout, o_lanes // layout.lanes
        self.out = TokenLayout(layout.shape, layout.dtype, o_lanes)
        super().__init__({"i": In(layout.signature), "o": Out(self.out.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        part = Signal(range(self.ways))
        lanes = self.layout.lanes
        earlier = [Signal.like(self.i.payload.features, name=f"part{n}") for n in range(self.ways - 1)]
        free = Signal()
        complete = Signal()
        m.d.comb += [
            free.eq(~self.o.valid | self.o.ready),
            complete.eq((part == self.ways - 1) | self.i.payload.end),
            self.i.ready.eq(~complete | free),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.i.valid & self.i.ready):
            with m.If(complete):
                m.d.sync += [
                    part.eq(0),
                    self.o.valid.eq(1),
                    self.o.payload.end.eq(self.i.payload.end),
                    self.o.payload.y.eq(self.i.payload.y),
                    self.o.payload.x.eq(self.i.payload.x),
                ]
                for n, source in enumerate([*earlier, self.i.payload.features]):
                    for lane in range(lanes):
                        value = source[lane]
                        if n < self.ways - 1:
                            value = Mux(self.i.payload.end, 0, value)
                        m.d.sync += self.o.payload.features[n * lanes + lane].eq(value)
            with m.Else():
                m.d.sync += part.eq(part + 1)
                for n, register in enumerate(earlier):
                    with m.If(part == n):
                        m.d.sync += register.eq(self.i.payload.features)
        return m


class Narrow(wiring.Component):
    """Splits each beat into ``i_lanes / o_lanes`` beats, lowest lanes first.

    ``layout`` is the input's; II ``i_lanes / o_lanes`` a beat (1 for ``end``), latency 1.
    """

    def __init__(self, layout: TokenLayout, o_lanes: int) -> None:
        if layout.lanes % o_lanes:
            raise ValueError(f"{layout.lanes} lanes do not narrow to {o_lanes}")
        self.layout, self.ways = layout, layout.lanes // o_lanes
        self.out = TokenLayout(layout.shape, layout.dtype, o_lanes)
        super().__init__({"i": In(layout.signature), "o": Out(self.out.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = Signal.like(self.i.payload)
        left = Signal(range(self.ways + 1))
        last = Signal()
        m.d.comb += [
            self.o.valid.eq(left != 0),
            last.eq(left == 1),
            self.i.ready.eq((left == 0) | (last & self.o.ready)),
            self.o.payload.end.eq(held.end),
            self.o.payload.y.eq(held.y),
            self.o.payload.x.eq(held.x),
        ]
        lanes = self.out.lanes
        for lane in range(lanes):
            m.d.comb += self.o.payload.features[lane].eq(held.features[lane])
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += left.eq(left - 1)
            for lane in range(self.layout.lanes - lanes):
                m.d.sync += held.features[lane].eq(held.features[lane + lanes])
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [held.eq(self.i.payload), left.eq(Mux(self.i.payload.end, 1, self.ways))]
        return m


def conversion(lanes: int, o_lanes: int) -> list[int]:
    """The lane counts a stream goes through on its way from ``lanes`` to ``o_lanes``: none, one or two steps.

    Lane counts of which neither divides the other meet in their greatest common divisor.
    """
    steps = [gcd(lanes, o_lanes), o_lanes]
    return [n for before, n in zip([lanes, *steps], steps, strict=False) if n != before]


def converter(layout: TokenLayout, o_lanes: int) -> Widen | Narrow:
    """One step of a conversion."""
    return Widen(layout, o_lanes) if o_lanes > layout.lanes else Narrow(layout, o_lanes)
