"""An accelerator on a serial line: beats as bytes, with credit, so that no beat is lost however slow it is.

A beat of n bits travels as ceil(n / 8) bytes, the lowest first. The host sends beats and nothing else: at most
``AHEAD`` before the first credit, and ``GRANT`` more for each credit. The board sends messages, each a letter and what
belongs to it:

- ``R``: the accelerator has been reset, by power-up or a break;
- ``K``: credit for ``GRANT`` more beats;
- ``A``: a beat of an answer, as bytes.

A break, the line held low for longer than a byte, resets everything, whatever was on its way.
"""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.boards.uart import BITS, UartReceiver, UartTransmitter
from hw.streams.stream import Queue

GRANT = 128
AHEAD = 2 * GRANT
RESET, CREDIT, ANSWER = b"R", b"K", b"A"


def beat_bytes(bits: int) -> int:
    """Bytes of a beat on the line.

    Parameters
        bits    bits of the beat
    """
    return -(-bits // BITS)


class SerialLink(wiring.Component):
    """Connects a serial line to an accelerator.

    Parameters
        in_bits     bits of a beat to the accelerator
        out_bits    bits of a beat from the accelerator
        cycles      clock cycles per bit of the line
    Ports
        rx          in, the line from the host
        tx          out, the line to the host
        o           out, beats to the accelerator
        i           in, beats of its answers
        restart     out, high while the accelerator is to be held in reset
        lost        out, high from when a beat came without credit and was dropped
    Timing
        II          10 bits per byte each way; each credit, and each beat of an answer, takes a byte more
    Reset           drops everything, as a break does
    """

    def __init__(self, in_bits: int, out_bits: int, cycles: int) -> None:
        self.in_bits, self.out_bits, self.cycles = in_bits, out_bits, cycles
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "o": Out(stream.Signature(in_bits)),
                "i": In(stream.Signature(out_bits)),
                "restart": Out(1),
                "lost": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.receiver = receiver = UartReceiver(self.cycles)
        entry = _Entry(self.in_bits)
        exit = _Exit(self.out_bits, self.cycles)
        m.submodules.entry = ResetInserter(receiver.broken)(entry)
        m.submodules.exit = ResetInserter(receiver.broken)(exit)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.restart.eq(receiver.broken),
            entry.byte.eq(receiver.byte),
            entry.strobe.eq(receiver.strobe),
            self.lost.eq(entry.lost),
            exit.credit.eq(entry.credit),
            self.tx.eq(exit.tx),
        ]
        wiring.connect(m, entry.o, wiring.flipped(self.o))
        wiring.connect(m, wiring.flipped(self.i), exit.i)
        return m


class _Entry(wiring.Component):
    """Bytes to beats, in a queue of ``AHEAD`` beats; ``credit`` pulses when ``GRANT`` of them have left it."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        ports = {"byte": In(BITS), "strobe": In(1), "credit": Out(1), "lost": Out(1)}
        super().__init__({**ports, "o": Out(stream.Signature(bits))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = beat_bytes(self.bits)
        m.submodules.queue = queue = Queue(self.bits, AHEAD)
        # the output of block memory comes late in a cycle; the registers of a short queue behind it come early
        m.submodules.front = front = Queue(self.bits, 2)
        wiring.connect(m, queue.o, front.i)
        wiring.connect(m, front.o, wiring.flipped(self.o))
        earlier = Signal(BITS * (count - 1))
        place, taken = Signal(range(count)), Signal(range(GRANT))
        last, take = Signal(), Signal()
        m.d.comb += [
            last.eq(place == count - 1),
            queue.i.payload.eq(Cat(earlier, self.byte)),
            queue.i.valid.eq(self.strobe & last),
            take.eq(self.o.valid & self.o.ready),
            self.credit.eq(take & (taken == GRANT - 1)),
        ]
        with m.If(self.strobe):
            m.d.sync += [place.eq(place + 1), earlier.eq(Cat(earlier, self.byte)[BITS:])]
            with m.If(last):
                m.d.sync += [place.eq(0), self.lost.eq(self.lost | ~queue.i.ready)]
        with m.If(take):
            m.d.sync += taken.eq(taken + 1)
        return m


class _Exit(wiring.Component):
    """Sends the letter of a reset, credits and answers to the line."""

    def __init__(self, bits: int, cycles: int) -> None:
        self.bits, self.cycles = bits, cycles
        super().__init__({"i": In(stream.Signature(bits)), "credit": In(1), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = beat_bytes(self.bits)
        m.submodules.transmitter = transmitter = UartTransmitter(self.cycles)
        line = transmitter.i
        fresh = Signal(init=1)
        # credits that are due never exceed the places of the queue before the accelerator
        owed, pay = Signal(range(AHEAD // GRANT + 2)), Signal()
        place = Signal(range(count + 1))
        whole = Cat(self.i.payload, Const(0, BITS * count - self.bits))
        beat = Array(whole.word_select(n, BITS) for n in range(count))
        m.d.comb += self.tx.eq(transmitter.tx)
        with m.If(place != 0):
            m.d.comb += [
                line.payload.eq(beat[place - 1]),
                line.valid.eq(1),
                self.i.ready.eq(line.ready & (place == count)),
            ]
            with m.If(line.ready):
                m.d.sync += place.eq(place + 1)
                with m.If(place == count):
                    m.d.sync += place.eq(0)
        with m.Elif(fresh):
            m.d.comb += [line.payload.eq(RESET[0]), line.valid.eq(1)]
            with m.If(line.ready):
                m.d.sync += fresh.eq(0)
        with m.Elif(owed != 0):
            m.d.comb += [line.payload.eq(CREDIT[0]), line.valid.eq(1), pay.eq(line.ready)]
        with m.Else():
            m.d.comb += [line.payload.eq(ANSWER[0]), line.valid.eq(self.i.valid)]
            with m.If(self.i.valid & line.ready):
                m.d.sync += place.eq(1)
        m.d.sync += owed.eq(owed + self.credit - pay)
        return m
