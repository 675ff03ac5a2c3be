"""The rules of a stream, proven of queues, fork and width conversion, and refuted of a queue that breaks them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Assume, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

import hw.streams.stream
from hw.arithmetic.output import CreditFifo
from hw.streams.layout import TokenLayout
from hw.streams.stream import Fork, Queue, RegisterSlice, StreamNarrower, StreamWidener
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from tests.formal.prove import proven
from tests.formal.rules import follows_contract, in_order, moved, offer, take

LAYOUT = TokenLayout(Shape(2, 2, 1), IntType(2, False), 1)


def harness(component: Any) -> Module:
    m = Module()
    m.submodules.dut = component
    return m


def queue_rules(queue: Any, capacity: int, latency: int) -> tuple[Module, Signal]:
    m = harness(queue)
    offer(m, queue.i)
    take(m, queue.o)
    got = Value.cast(queue.o.payload)
    seen = in_order(m, moved(queue.i), [Value.cast(queue.i.payload)], 1, queue.o, got, capacity, latency)
    return m, seen


class ShortQueue(wiring.Component):
    """A queue whose full flag is off by one: it takes a beat more than its memory holds."""

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(1)), "o": Out(stream.Signature(1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        beats = [Signal(name=f"beat{n}") for n in range(2)]
        held = Signal(2)
        put, out = moved(self.i), moved(self.o)
        m.d.comb += [self.i.ready.eq(held != 3), self.o.valid.eq(held != 0), self.o.payload.eq(beats[0])]
        with m.If(out):
            m.d.sync += beats[0].eq(beats[1])
        for n, beat in enumerate(beats):
            with m.If(put & (held - out == n)):
                m.d.sync += beat.eq(self.i.payload)
        m.d.sync += held.eq(held + put - out)
        return m


@pytest.mark.parametrize("depth, cycles", [(1, 8), (2, 8), (3, 8), pytest.param(3, 12, marks=pytest.mark.slow)])
def test_queue(depth: int, cycles: int) -> None:
    assert proven(queue_rules(Queue(unsigned(1), depth), depth, 1)[0], cycles)


@pytest.mark.parametrize("cycles", [8, pytest.param(12, marks=pytest.mark.slow)])
def test_queue_of_block_memory(cycles: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory's output register holds a beat more."""
    monkeypatch.setattr(hw.streams.stream, "BLOCK_DEPTH", 1)
    assert proven(queue_rules(Queue(unsigned(1), 2), 3, 2)[0], cycles)


@pytest.mark.parametrize("cycles", [8, pytest.param(12, marks=pytest.mark.slow)])
def test_registered_queue(cycles: int) -> None:
    """One in LUTs is as late as one of block memory, never later, and holds as many beats."""
    assert proven(queue_rules(Queue(unsigned(1), 2, registered=True), 3, 2)[0], cycles)


def test_register_slice_is_a_queue_of_two() -> None:
    """In every cycle: what it takes and what it offers."""
    m = Module()
    m.submodules.registers = registers = RegisterSlice(unsigned(1))
    m.submodules.queue = queue = Queue(unsigned(1), 2)
    offer(m, queue.i)
    take(m, queue.o)
    m.d.comb += [
        registers.i.valid.eq(queue.i.valid),
        registers.i.payload.eq(queue.i.payload),
        registers.o.ready.eq(queue.o.ready),
        Assert(registers.i.ready == queue.i.ready),
        Assert(registers.o.valid == queue.o.valid),
        Assert(~queue.o.valid | (registers.o.payload == queue.o.payload)),
    ]
    assert proven(m, 10)


def test_a_queue_that_overflows_is_refuted() -> None:
    assert not proven(queue_rules(ShortQueue(), 3, 1)[0], 8)


@pytest.mark.parametrize("capacity, latency, block_depth", [(1, 1, 8), (2, 1, 1)])
def test_bounds_that_are_too_narrow_are_refuted(
    capacity: int, latency: int, block_depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue of 2 holds more than 1; one of block memory takes longer than 1."""
    monkeypatch.setattr(hw.streams.stream, "BLOCK_DEPTH", block_depth)
    assert not proven(queue_rules(Queue(unsigned(1), 2), capacity, latency)[0], 8)


def test_the_assumptions_leave_beats_to_follow() -> None:
    """A marked beat can come out: the proofs are not empty."""
    m, seen = queue_rules(Queue(unsigned(1), 2), 2, 1)
    m.d.comb += Assert(~seen)
    assert not proven(m, 8)


def test_queue_never_refuses_while_it_has_room() -> None:
    queue = Queue(unsigned(1), 3)
    m, _ = queue_rules(queue, 3, 1)
    held = Signal(3)
    m.d.sync += held.eq(held + moved(queue.i) - moved(queue.o))
    m.d.comb += Assert(queue.i.ready == (held != 3))
    assert proven(m, 8)


class Leaky(wiring.Component):
    """Offers only what is asked for: its valid waits for ready."""

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(1)), "o": Out(stream.Signature(1))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid & self.o.ready),
            self.i.ready.eq(self.o.ready),
        ]
        return m


def ready_rules(make: Callable[[], Any], outputs: list[str]) -> Module:
    """Two copies get the same until their ready differs: what they offer in that very cycle is the same still."""
    m = Module()
    a, b = make(), make()
    m.submodules += [a, b]
    offer(m, a.i)
    m.d.comb += [b.i.valid.eq(a.i.valid), b.i.payload.eq(a.i.payload)]
    apart, differ = Signal(), Signal()
    m.d.sync += apart.eq(apart | differ)
    pairs = [(getattr(a, name), getattr(b, name)) for name in outputs]
    for left, right in pairs:
        m.d.comb += [left.ready.eq(AnySeq(1)), right.ready.eq(AnySeq(1))]
        m.d.comb += Assert(apart | (Cat(left.valid, left.payload) == Cat(right.valid, right.payload)))
    m.d.comb += differ.eq(Cat(left.ready ^ right.ready for left, right in pairs).any())
    return m


READY = {
    "queue": (lambda: Queue(unsigned(1), 2), ["o"]),
    "register slice": (lambda: RegisterSlice(unsigned(1)), ["o"]),
    "fork": (lambda: Fork(unsigned(1), 2), ["o0", "o1"]),
    "widen": (lambda: StreamWidener(TokenLayout(Shape(1, 1, 2), IntType(2, False), 1), 2), ["o"]),
    "narrow": (lambda: StreamNarrower(TokenLayout(Shape(1, 1, 2), IntType(2, False), 2), 1), ["o"]),
}


@pytest.mark.parametrize("name", READY)
def test_valid_never_depends_on_ready(name: str) -> None:
    assert proven(ready_rules(*READY[name]), 6)


def test_a_valid_that_waits_for_ready_is_refuted() -> None:
    assert not proven(ready_rules(Leaky, ["o"]), 4)


def test_fork() -> None:
    """Each way takes each beat once, and the input leaves when the last has it."""
    fork = Fork(unsigned(1), 3)
    m = harness(fork)
    offer(m, fork.i)
    for way in range(3):
        o = getattr(fork, f"o{way}")
        take(m, o)
        taken = Signal(name=f"taken{way}")
        m.d.sync += taken.eq((taken | moved(o)) & ~moved(fork.i))
        m.d.comb += [
            Assert(o.valid == (fork.i.valid & ~taken)),
            Assert(~o.valid | (o.payload == fork.i.payload)),
            Assert(~moved(fork.i) | taken | moved(o)),
        ]
    assert proven(m, 10)


@pytest.mark.parametrize("cycles", [7, pytest.param(10, marks=pytest.mark.slow)])
def test_widen(cycles: int) -> None:
    """``end`` comes between tokens and has no features."""
    widen = StreamWidener(TokenLayout(Shape(1, 1, 2), IntType(2, False), 1), 2)
    m = harness(widen)
    offer(m, widen.i)
    take(m, widen.o)
    p, part, first = widen.i.payload, Signal(), Signal(2)
    beat = moved(widen.i)
    m.d.comb += Assume(~widen.i.valid | ~p.end | ((part == 0) & (p.features[0] == 0)))
    m.d.sync += part.eq(Mux(beat & ~p.end, ~part, part))
    with m.If(beat & (part == 0)):
        m.d.sync += first.eq(p.features[0])
    expected = Cat(p.end, p.y, p.x, Mux(p.end, Const(0, 2), first), p.features[0])
    put = beat & (p.end | part)
    in_order(m, put, [expected], 1, widen.o, Value.cast(widen.o.payload), 1, 1)
    assert proven(m, cycles)


@pytest.mark.parametrize("cycles", [7, pytest.param(10, marks=pytest.mark.slow)])
def test_narrow(cycles: int) -> None:
    narrow = StreamNarrower(TokenLayout(Shape(1, 1, 2), IntType(2, False), 2), 1)
    m = harness(narrow)
    offer(m, narrow.i)
    take(m, narrow.o)
    p = narrow.i.payload
    expected = [Cat(p.end, p.y, p.x, p.features[lane]) for lane in range(2)]
    size = Mux(p.end, 1, 2)
    in_order(m, moved(narrow.i), expected, size, narrow.o, Value.cast(narrow.o.payload), 2, 1)
    assert proven(m, cycles)


@pytest.mark.parametrize("reserved", [True, False])
def test_output_keeps_what_was_reserved(reserved: bool) -> None:
    """Pushes within what was reserved are never lost; pushes without are, which the rules see."""
    output = CreditFifo(LAYOUT, 2)
    m = harness(output)
    pending, inside, left = Signal(3), Signal(3), Signal()
    m.d.comb += [output.reserve.eq(AnySeq(1)), output.push.eq(AnySeq(1))]
    m.d.comb += Value.cast(output.payload).eq(AnySeq(LAYOUT.width))
    m.d.comb += Assume(~output.reserve[0] | output.open)
    m.d.sync += [
        pending.eq(pending + output.reserve - output.push),
        inside.eq(inside + output.push - moved(output.o)),
        left.eq(moved(output.o)),
    ]
    if reserved:
        m.d.comb += [Assume(~output.push | (pending != 0)), Assert(output.open == (pending + inside + left < 2))]
    m.d.comb += output.o.ready.eq(AnySeq(1))
    m.d.comb += Assert(follows_contract(m, output.o))
    got = Value.cast(output.o.payload)
    in_order(m, output.push, [Value.cast(output.payload)], 1, output.o, got, 2, 1)
    assert proven(m, 7) == reserved
