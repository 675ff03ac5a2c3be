"""A serial line: bytes of a start bit, eight data bits and a stop bit, lowest bit first, idle high."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

BITS = 8


class UartError(ValueError):
    """A clock from which the line's speed cannot be made; the message names both."""


def divisor(clock_hz: float, baud: int) -> int:
    """Clock cycles per bit of a serial line.

    The bits miss their length by 2 % at most: sender and receiver share the error that a byte can bear.

    Parameters
        clock_hz    frequency of the clock
        baud        bits per second of the line
    Raises          UartError: fewer than 4 cycles a bit, or more than 2 % off
    """
    cycles = round(clock_hz / baud)
    if cycles < 4 or abs(clock_hz / cycles / baud - 1) > 0.02:
        raise UartError(
            f"a line of {baud} baud cannot be made from a clock of {clock_hz / 1e6:g} MHz: it needs 4 cycles a bit "
            "or more, a whole number within 2 %"
        )
    return cycles


class UartReceiver(wiring.Component):
    """Receives bytes from a serial line.

    A byte without its stop bit is dropped. A break is a byte's length of low, stop bit included.

    Parameters
        cycles     clock cycles per bit of the line
    Ports
        rx         in, the line, from any clock
        byte       out, the byte, valid in the cycle in which ``strobe`` is high
        strobe     out, high for one cycle per byte
        broken     out, high from the end of a break until the line is high again
    Timing
        latency    ``strobe`` comes in the middle of the stop bit
    Reset          waits for a start bit
    """

    def __init__(self, cycles: int) -> None:
        self.cycles = cycles
        super().__init__({"rx": In(1, init=1), "byte": Out(BITS), "strobe": Out(1), "broken": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, line, init=1)
        wait = Signal(range(self.cycles))
        left = Signal(range(BITS + 1))
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.FSM():
            with m.State("idle"):
                m.d.sync += wait.eq(self.cycles // 2 - 1)
                with m.If(~line):
                    m.next = "start"
            with m.State("start"), m.If(wait == 0):
                m.d.sync += [wait.eq(self.cycles - 1), left.eq(BITS)]
                # too short to be a start bit
                with m.If(line):
                    m.next = "idle"
                with m.Else():
                    m.next = "data"
            with m.State("data"), m.If(wait == 0):
                m.d.sync += wait.eq(self.cycles - 1)
                with m.If(left == 0):
                    m.d.comb += self.strobe.eq(line)
                    m.next = "idle"
                    with m.If(~line):
                        m.next = "low"
                with m.Else():
                    m.d.sync += [self.byte.eq(Cat(self.byte[1:], line)), left.eq(left - 1)]
            with m.State("low"):
                m.d.comb += self.broken.eq(self.byte == 0)
                with m.If(line):
                    m.next = "idle"
        return m


class UartTransmitter(wiring.Component):
    """Sends bytes to a serial line.

    Parameters
        cycles    clock cycles per bit of the line
    Ports
        i         in, the bytes
        tx        out, the line
    Timing
        II        10 bits and 1 cycle per byte
    Reset         the line is high
    """

    def __init__(self, cycles: int) -> None:
        self.cycles = cycles
        super().__init__({"i": In(stream.Signature(BITS)), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        wait = Signal(range(self.cycles))
        left = Signal(range(BITS + 3))
        bits = Signal(BITS + 1)
        m.d.comb += self.i.ready.eq((left == 0) & (wait == 0))
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Elif(left != 0):
            m.d.sync += [self.tx.eq(bits[0]), bits.eq(Cat(bits[1:], 1)), left.eq(left - 1), wait.eq(self.cycles - 1)]
        with m.Elif(self.i.valid):
            m.d.sync += [bits.eq(Cat(0, self.i.payload)), left.eq(BITS + 2)]
        return m
