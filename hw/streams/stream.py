"""Stream components: queues, fork and lane-width conversion.

All of them keep one contract: a payload is stable while ``valid & ~ready``, ``valid`` never waits for ``ready``, and
nothing is reordered.
"""

from __future__ import annotations

from math import gcd
from typing import Any

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.streams.layout import TokenLayout, index_bits

BLOCK_DEPTH = 128
"""A queue that is deeper than this is block memory."""


def delay_line(m: Module, signal: Any, cycles: int, name: str) -> Any:
    """A signal as it was some cycles ago: a chain of registers.

    Parameters
        m          module that gets the registers
        signal     a value or a view
        cycles     length of the chain; may be 0
        name       prefix of the names of the registers, which reset to 0
    """
    for stage in range(cycles):
        register = Signal(signal.shape(), name=f"{name}_d{stage + 1}")
        m.d.sync += register.eq(signal)
        signal = register
    return signal


def queue_latency(depth: int) -> int:
    """Cycles from a beat at the input of a ``Queue``, without ``registered``, to the same beat at its output.

    Parameters
        depth      depth of the queue
    """
    return 1 if depth <= BLOCK_DEPTH else 2


class Queue(wiring.Component):
    """A first-in first-out buffer (FIFO).

    With a registered output it holds one beat beyond ``depth``. A queue deeper than ``BLOCK_DEPTH`` is block memory,
    and its output is always registered.

    Parameters
        shape         shape of a payload
        depth         beats it holds, at least 1
        registered    whether the output is a register even where the queue is not block memory
    Ports
        i          in, the stream
        o          out, the same stream
    Timing
        II         1 beat per cycle
        latency    1 cycle, or 2 with a registered output
    Reset          drops all beats
    Raises         ValueError: when ``depth`` is below 1
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
            m.d.sync += head.eq(_next_address(head, self.depth))
        with m.If(take):
            m.d.sync += tail.eq(_next_address(tail, self.depth))
        m.d.sync += held.eq(held + put - take)
        if not self.registered:
            m.d.comb += [
                read.addr.eq(tail),
                self.o.valid.eq(held != 0),
                self.o.payload.eq(read.data),
                take.eq(self.o.valid & self.o.ready),
            ]
        else:
            # the output register of the memory holds the head of the queue
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


def _next_address(pointer: Signal, depth: int):
    if depth & (depth - 1) == 0:
        return (pointer + 1)[: index_bits(depth)]

    return Mux(pointer == depth - 1, 0, pointer + 1)


class RegisterSlice(wiring.Component):
    """Two registers for beats, which cut every combinational path: neither ``valid`` nor ``ready`` passes through.

    Parameters
        shape      shape of a payload
    Ports
        i          in, the stream
        o          out, the same stream
    Timing
        II         1 beat per cycle
        latency    1 cycle
    Reset          drops all beats
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
    """Copies one stream to several, each of which takes a beat when it is ready.

    Parameters
        shape      shape of a payload
        outputs    number of copies, at least 2
    Ports
        i          in, the stream; a beat leaves in the cycle in which its last copy is taken
        o0, ...    out, the ``outputs`` copies
    Timing
        II         1 beat per cycle
        latency    0 cycles
    Reset          forgets which copies of the present beat are taken
    Raises         ValueError: when ``outputs`` is below 2
    """

    def __init__(self, shape: ShapeLike, outputs: int) -> None:
        if outputs < 2:
            raise ValueError(f"a fork has two outputs or more, not {outputs}")
        self.outputs = outputs
        ports = {f"o{index}": Out(stream.Signature(shape)) for index in range(outputs)}
        super().__init__({"i": In(stream.Signature(shape)), **ports})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        sent = Signal(self.outputs)
        served = Signal(self.outputs)
        for index in range(self.outputs):
            o = getattr(self, f"o{index}")
            m.d.comb += [
                o.valid.eq(self.i.valid & ~sent[index]),
                o.payload.eq(self.i.payload),
                served[index].eq(sent[index] | o.ready),
            ]
        m.d.comb += self.i.ready.eq(served.all())
        with m.If(self.i.valid):
            m.d.sync += sent.eq(Mux(self.i.ready, 0, served))
        return m


class StreamWidener(wiring.Component):
    """Joins successive beats of a token into one beat of more lanes.

    Parameters
        layout     layout of the input
        o_lanes    lanes of the output, a multiple of ``layout.lanes``
    Ports
        i          in, beats of ``layout``
        o          out, beats of ``o_lanes`` lanes
    Timing
        II         1 input beat per cycle
        latency    1 cycle from the last of the beats that are joined
    Reset          drops the beats
    Raises         ValueError: when ``o_lanes`` is no multiple of ``layout.lanes``
    """

    def __init__(self, layout: TokenLayout, o_lanes: int) -> None:
        if o_lanes % layout.lanes:
            raise ValueError(f"{layout.lanes} lanes do not widen to {o_lanes}")
        self.layout, self.ratio = layout, o_lanes // layout.lanes
        self.out = TokenLayout(layout.shape, layout.dtype, o_lanes)
        super().__init__({"i": In(layout.signature), "o": Out(self.out.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        part = Signal(range(self.ratio))
        lanes = self.layout.lanes
        earlier = [Signal.like(self.i.payload.features, name=f"part{n}") for n in range(self.ratio - 1)]
        free = Signal()
        complete = Signal()
        m.d.comb += [
            free.eq(~self.o.valid | self.o.ready),
            complete.eq((part == self.ratio - 1) | self.i.payload.end),
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
                        if n < self.ratio - 1:
                            value = Mux(self.i.payload.end, 0, value)
                        m.d.sync += self.o.payload.features[n * lanes + lane].eq(value)
            with m.Else():
                m.d.sync += part.eq(part + 1)
                for n, register in enumerate(earlier):
                    with m.If(part == n):
                        m.d.sync += register.eq(self.i.payload.features)
        return m


class StreamNarrower(wiring.Component):
    """Splits each beat into beats of fewer lanes, lowest lanes first.

    Parameters
        layout     layout of the input
        o_lanes    lanes of the output, a divisor of ``layout.lanes``
    Ports
        i          in, beats of ``layout``
        o          out, beats of ``o_lanes`` lanes
    Timing
        II         ``layout.lanes / o_lanes`` cycles per input beat, 1 for ``end``
        latency    1 cycle to the first of the beats
    Reset          drops the beat
    Raises         ValueError: when ``o_lanes`` does not divide ``layout.lanes``
    """

    def __init__(self, layout: TokenLayout, o_lanes: int) -> None:
        if layout.lanes % o_lanes:
            raise ValueError(f"{layout.lanes} lanes do not narrow to {o_lanes}")
        self.layout, self.ratio = layout, layout.lanes // o_lanes
        self.out = TokenLayout(layout.shape, layout.dtype, o_lanes)
        super().__init__({"i": In(layout.signature), "o": Out(self.out.signature)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = Signal.like(self.i.payload)
        left = Signal(range(self.ratio + 1))
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
            m.d.sync += [held.eq(self.i.payload), left.eq(Mux(self.i.payload.end, 1, self.ratio))]
        return m


def converter_lanes(lanes: int, o_lanes: int) -> list[int]:
    """The lane counts after each converter on the way from one lane count to another: none, one or two converters.

    Where neither lane count divides the other, both converters meet at their greatest common divisor.

    Parameters
        lanes      lanes at the input
        o_lanes    lanes at the output
    """
    steps = [gcd(lanes, o_lanes), o_lanes]
    return [n for before, n in zip([lanes, *steps], steps, strict=False) if n != before]


def converter(layout: TokenLayout, o_lanes: int) -> StreamWidener | StreamNarrower:
    """The component for one step of a conversion.

    Parameters
        layout     layout of the input
        o_lanes    lanes of the output
    """
    return StreamWidener(layout, o_lanes) if o_lanes > layout.lanes else StreamNarrower(layout, o_lanes)
