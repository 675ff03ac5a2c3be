"""The rules of a stream as assumptions and assertions, for harnesses of any component.

A harness leaves inputs free (``AnySeq``) but for what these functions assume, and counts in registers of its own: it
looks at nothing of the component but its ports.
"""

from __future__ import annotations

from typing import Any

from amaranth.asserts import AnySeq
from amaranth.hdl import Array, Assert, Assume, Module, Mux, Signal, Value

COUNT_BITS = 4
"""Of a count of beats inside a component."""


def moved(stream: Any) -> Value:
    return stream.valid & stream.ready


def follows_contract(m: Module, stream: Any) -> Value:
    """Whether what was offered and not taken a cycle ago is offered still, unchanged."""
    payload = Value.cast(stream.payload)
    waiting, before = Signal(), Signal(len(payload))
    m.d.sync += [waiting.eq(stream.valid & ~stream.ready), before.eq(payload)]
    return ~waiting | (stream.valid & (payload == before))


def offer(m: Module, stream: Any) -> None:
    """Drive an input stream with anything that follows the contract."""
    payload = Value.cast(stream.payload)
    m.d.comb += [stream.valid.eq(AnySeq(1)), payload.eq(AnySeq(len(payload)))]
    m.d.comb += Assume(follows_contract(m, stream))


def take(m: Module, stream: Any) -> None:
    """Take an output stream in any cycles; assert that it follows the contract."""
    m.d.comb += stream.ready.eq(AnySeq(1))
    m.d.comb += Assert(follows_contract(m, stream))


def in_order(
    m: Module, put: Value, expected: list[Value], size: Value | int, o: Any, got: Value, capacity: int, latency: int
) -> Signal:
    """Assert that ``o`` gives what was put: nothing lost, doubled, made up or reordered, nothing late, no more held.

    ``put``: an input is complete that becomes the first ``size`` of the ``expected`` beats; ``got``: what of ``o``'s
    payload to compare them with. One put is marked, any one, and followed past all that was inside before it.
    ``latency``: cycles from a put to its showing where nothing is before it. Gives whether the marked beats are out.
    """
    out = moved(o)
    inside, ahead, length, part = (Signal(COUNT_BITS) for _ in range(4))
    marked, seen, mark = Signal(), Signal(), Signal()
    values = [Signal(len(got)) for _ in expected]
    m.d.sync += inside.eq(inside + Mux(put, size, 0) - out)
    m.d.comb += mark.eq(AnySeq(1) & put & ~marked)
    with m.If(mark):
        m.d.sync += [marked.eq(1), ahead.eq(inside - out), length.eq(size)]
        m.d.sync += [register.eq(value) for register, value in zip(values, expected, strict=True)]
    current = marked & ~seen & (ahead == 0)
    with m.Elif(marked & ~seen & out):
        with m.If(ahead != 0):
            m.d.sync += ahead.eq(ahead - 1)
        with m.Else():
            m.d.sync += [part.eq(part + 1), seen.eq(part == length - 1)]
    silent, quiet = inside.bool() & ~o.valid, Signal(range(latency + 1))
    m.d.sync += quiet.eq(Mux(silent, quiet + 1, 0))
    m.d.comb += [
        Assert(~(current & o.valid) | (got == Array(values)[part])),
        Assert(~o.valid | inside.bool()),
        Assert(inside <= capacity),
        Assert(~silent | (quiet < latency - 1)),
    ]
    return seen
