# amaranth: UnusedElaboratable=no
"""The top of a board's design: its clock, its ports, its LEDs and its reset after power-up."""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, Elaboratable, Module, Signal
from amaranth.sim import Simulator

from hw.boards.board import BOARDS, Board
from hw.boards.project import pins
from hw.boards.top import START_US, BoardTop, board_verilog, clocking
from hw.boards.uart import UartError
from hw.tools.toolchains.pll import PllError

ICEBREAKER = BOARDS["icebreaker"]


def verilog(board: Board, max_mhz: float) -> str:
    return board_verilog(board, clocking(board, max_mhz), "netweave", 21, 33)


def test_a_board_whose_oscillator_is_the_clock_needs_no_loop() -> None:
    clocks = clocking(BOARDS["icebreaker"], 12)
    assert (clocks.pll, clocks.clock_mhz, clocks.cycles) == (None, 12, 12)


def test_another_clock_is_a_loop_s_and_divides_the_line() -> None:
    """25 MHz times 2 is 50 MHz, of which a bit at 1 Mbaud has 50 cycles."""
    clocks = clocking(BOARDS["ulx3s-85f"], 50)
    assert clocks.pll is not None
    assert (clocks.pll.clock, clocks.clock_mhz, clocks.cycles) == (50, Fraction(50), 50)


def test_clocks_that_no_loop_and_no_line_can_use_are_refused() -> None:
    with pytest.raises(PllError, match="at most 15 MHz out of 12 MHz"):
        clocking(ICEBREAKER, 15)
    with pytest.raises(UartError, match="9000000 baud cannot be made from a clock of 12 MHz"):
        clocking(dataclasses.replace(ICEBREAKER, baud=9_000_000), 12)


def test_a_lone_led_is_no_vector() -> None:
    board = dataclasses.replace(BOARDS["ulx3s-25f"], led_pins=("B2",))
    assert "output led;" in verilog(board, 25)
    assert 'LOCATE COMP "led" SITE "B2";' in pins(board)


def test_a_board_without_leds_has_no_port_for_them() -> None:
    board = dataclasses.replace(BOARDS["ulx3s-25f"], led_pins=(), high_pins=())
    (ports,) = re.findall(r"^module board\((.*?)\);", verilog(board, 25), re.M)
    assert sorted(ports.split(", ")) == ["clk_pin", "rx", "tx"]


def test_the_accelerator_is_between_the_ends_of_the_link() -> None:
    """Beats of 21 bits go in and beats of 33 bits come out."""
    text = verilog(ICEBREAKER, 12)
    (top,) = re.findall(r"^module board\(.*?^endmodule", text, re.M | re.S)
    (instance,) = re.findall(r"^  netweave \\?\w+ +\((.*?)\);", top, re.M | re.S)
    wires = dict(re.findall(r"\.([io])__payload\((\w+)\)", instance))
    widths = {port: re.findall(rf"^  wire \[(\d+):0\] {wire};", top, re.M) for port, wire in wires.items()}
    assert widths == {"i": ["20"], "o": ["32"]}


class Start(Elaboratable):
    """The reset after power-up alone, high from power-up until the clock has run."""

    def __init__(self) -> None:
        self.locked, self.reset = Signal(), Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.start = ClockDomain("start", reset_less=True)
        top = BoardTop(ICEBREAKER, clocking(ICEBREAKER, 12), "netweave", 21, 33)
        m.d.comb += self.reset.eq(top._start(m, self.locked))
        return m


def test_reset_lasts_until_the_clock_has_run_and_comes_back_with_a_lost_lock() -> None:
    dut = Start()
    cycles = START_US * 12

    async def bench(ctx: Any) -> None:
        async def high() -> int:
            count = 0
            while ctx.get(dut.reset):
                await ctx.tick("start")
                count += 1
            return count

        await ctx.tick("start").repeat(2 * cycles)
        assert ctx.get(dut.reset), "the loop has not locked"
        for _ in range(2):
            ctx.set(dut.locked, 1)
            # two cycles of synchronizing and one of the register that holds it
            assert await high() == cycles + 3
            await ctx.tick("start").repeat(10)
            assert not ctx.get(dut.reset)
            ctx.set(dut.locked, 0)
            await ctx.tick("start").repeat(4)
            assert ctx.get(dut.reset)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6, domain="start")
    simulator.add_testbench(bench)
    simulator.run()
