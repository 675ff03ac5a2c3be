"""The top of a board's design: clock, reset, serial link and LEDs around the accelerator's Verilog."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from amaranth.back import verilog
from amaranth.hdl import Cat, ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from hw.boards.board import Board
from hw.boards.link import SerialLink
from hw.boards.uart import divisor
from hw.generate.emit import compact_memory_init
from hw.tools.toolchains.pll import Pll

TOP = "board"
CLOCK, RX, TX, LED, HIGH = "clk_pin", "rx", "tx", "led", "high"
"""Ports of the top module; ``LED`` and ``HIGH`` have one bit per pin."""
START_US = 20
"""Microseconds of reset after power-up, since an iCE40's block memories cannot be read at first."""


@dataclass(frozen=True)
class Clocking:
    """The clock of an accelerator on a board.

    Parameters
        pll          the phase-locked loop that makes it; None where the oscillator is the clock
        clock_mhz    its frequency
        cycles       clock cycles per bit of the serial line
    """

    pll: Pll | None
    clock_mhz: Fraction
    cycles: int


def clocking(board: Board, max_mhz: float) -> Clocking:
    """The fastest clock that a board can make, within a limit, and the serial line's division of it.

    Parameters
        board         the board
        max_mhz       the limit
    Raises            PllError: no such clock; UartError: a clock that does not divide into the line's bits
    """
    pll: Pll | None = None
    if max_mhz != board.clock_mhz:
        pll = board.toolchain.pll(board.clock_mhz, max_mhz, board.clock_pin)
    clock = pll.clock if pll else Fraction(board.clock_mhz)
    return Clocking(pll, clock, divisor(float(clock) * 1e6, board.baud))


class BoardTop(wiring.Component):
    """The top module of a board's design: clock, reset, serial link and LEDs around the accelerator.

    The LEDs, of which a board may have fewer, show in this order: the accelerator is out of reset; a beat went in or
    came out lately; beats were lost; the clock runs.

    Parameters
        board       the board
        clocking    its clock
        design      name of the accelerator's Verilog module
        in_bits     bits of an input beat
        out_bits    bits of an output beat
    Ports
        clk_pin     in, the oscillator
        rx          in, the serial line from the host
        tx          out, the serial line to the host
        led         out, the LEDs, one bit per pin; only on a board with LEDs
        high        out, pins driven high, one bit per pin; only on a board with such pins
    Reset           at power-up for ``START_US`` after the clock is stable; a break on the line resets the accelerator
    """

    def __init__(self, board: Board, clocking: Clocking, design: str, in_bits: int, out_bits: int) -> None:
        self.board, self.clocking, self.design = board, clocking, design
        self.in_bits, self.out_bits = in_bits, out_bits
        ports = {CLOCK: In(1), RX: In(1), TX: Out(1)}
        for name, pins in ((LED, board.led_pins), (HIGH, board.high_pins)):
            if pins:
                ports[name] = Out(len(pins))
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = ClockDomain("sync")
        m.domains.start = ClockDomain("start", reset_less=True)
        clock, locked = Signal(name="clk"), Signal(init=1)
        pin = getattr(self, CLOCK)
        if self.clocking.pll is None:
            m.d.comb += clock.eq(pin)
        else:
            self.clocking.pll.drive(m, pin, clock, locked)
        m.d.comb += [ClockSignal("sync").eq(clock), ClockSignal("start").eq(clock)]
        m.d.comb += ResetSignal("sync").eq(self._start(m, locked))

        m.submodules.link = link = SerialLink(self.in_bits, self.out_bits, self.clocking.cycles)
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        restart = Signal(init=1)
        m.d.sync += restart.eq(link.restart)
        m.submodules.design = Instance(
            self.design,
            i_clk=ClockSignal("sync"), i_rst=restart,
            i_i__payload=link.o.payload, i_i__valid=link.o.valid, o_i__ready=link.o.ready,
            o_o__payload=link.i.payload, o_o__valid=link.i.valid, i_o__ready=link.i.ready,
        )  # fmt: skip
        if self.board.led_pins:
            busy, beat = Signal(23), Signal(24)
            m.d.sync += beat.eq(beat + 1)
            with m.If((link.o.valid & link.o.ready) | (link.i.valid & link.i.ready)):
                m.d.sync += busy.eq(~0)
            with m.Elif(busy != 0):
                m.d.sync += busy.eq(busy - 1)
            lights = Cat(~restart, busy.any(), link.lost, beat[-1])[: len(self.board.led_pins)]
            m.d.comb += self.led.eq(~lights if self.board.leds_low else lights)
        if self.board.high_pins:
            m.d.comb += self.high.eq(~0)
        return m

    def _start(self, m: Module, locked: Signal) -> Value:
        """High from power-up until the clock has run for ``START_US``."""
        cycles = ceil(START_US * self.clocking.clock_mhz)
        stable, running, count = Signal(), Signal(), Signal(range(cycles + 1))
        m.submodules.locked = FFSynchronizer(locked, stable, o_domain="start")
        m.d.start += running.eq(count == cycles)
        with m.If(~stable):
            m.d.start += count.eq(0)
        with m.Elif(count != cycles):
            m.d.start += count.eq(count + 1)
        return ~running


def board_verilog(board: Board, clocking: Clocking, design: str, in_bits: int, out_bits: int) -> str:
    """The Verilog of module ``board``, without the accelerator's own.

    Parameters
        board       the board
        clocking    its clock
        design      name of the accelerator's Verilog module
        in_bits     bits of an input beat
        out_bits    bits of an output beat
    """
    top = BoardTop(board, clocking, design, in_bits, out_bits)
    return compact_memory_init(verilog.convert(top, name=TOP, emit_src=False, strip_internal_attrs=True))
