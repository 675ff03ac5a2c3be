"""A serial line, bit by bit: bytes that are sent and received, and what is no byte."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from amaranth.sim import Simulator

from hw.boards.uart import UartError, UartReceiver, UartTransmitter, divisor
from tests.hw.boards.serial_line import CYCLES, listener

BYTES = [0x00, 0xFF, 0x55, 0xA7, 0x80, 0x01]


def received(line: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """The bytes that a receiver makes of levels and how many cycles each lasts, and the cycles of its breaks."""
    dut = UartReceiver(CYCLES)
    result: list[int] = []
    breaks: list[int] = []

    async def bench(ctx: Any) -> None:
        cycle = 0
        for level, cycles in [*line, (1, 12 * CYCLES)]:
            ctx.set(dut.rx, level)
            for _ in range(cycles):
                if ctx.get(dut.strobe):
                    result.append(ctx.get(dut.byte))
                if ctx.get(dut.broken):
                    breaks.append(cycle)
                await ctx.tick()
                cycle += 1

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return result, breaks


def levels(byte: int, stop: int = 1, cycles: int = CYCLES) -> list[tuple[int, int]]:
    return [(bit, cycles) for bit in (0, *(byte >> n & 1 for n in range(8)), stop)]


def test_bytes_without_a_gap_are_received() -> None:
    assert received([own for byte in BYTES for own in levels(byte)]) == (BYTES, [])


def test_a_byte_without_its_stop_bit_is_dropped() -> None:
    assert received([*levels(0x55, stop=0), (1, 2 * CYCLES), *levels(0xA7)]) == ([0xA7], [])


def test_a_dip_that_is_shorter_than_half_a_bit_is_no_start() -> None:
    assert received([(0, 1), (1, 3 * CYCLES), *levels(0x33)]) == ([0x33], [])


def test_a_break_lasts_from_its_stop_bit_until_the_line_is_high() -> None:
    """After 9.5 bits of low, and two cycles of synchronizing either edge, it is a break for 5 bits and a half."""
    result, breaks = received([(1, CYCLES), (0, 15 * CYCLES), (1, CYCLES), *levels(0x5A)])
    assert result == [0x5A]
    assert breaks == [*range(breaks[0], breaks[-1] + 1)]
    begin, end = CYCLES + 9.5 * CYCLES, 16 * CYCLES
    assert begin <= breaks[0] <= begin + 4
    assert end <= breaks[-1] + 1 <= end + 4


def test_a_byte_takes_ten_bits_and_a_cycle() -> None:
    dut = UartTransmitter(CYCLES)
    heard: list[int] = []
    accepted: list[int] = []

    async def bench(ctx: Any) -> None:
        assert ctx.get(dut.tx) == 1
        ctx.set(dut.i.valid, 1)
        cycle = 0
        for byte in BYTES:
            ctx.set(dut.i.payload, byte)
            while not ctx.get(dut.i.ready):
                await ctx.tick()
                cycle += 1
            accepted.append(cycle)
            await ctx.tick()
            cycle += 1
        ctx.set(dut.i.valid, 0)
        await ctx.tick().repeat(12 * CYCLES)
        assert ctx.get(dut.tx) == 1

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.add_testbench(listener(dut.tx, heard), background=True)
    simulator.run()
    assert heard == BYTES
    assert {later - earlier for earlier, later in pairwise(accepted)} == {10 * CYCLES + 1}


def test_clocks_may_differ_by_what_a_byte_bears() -> None:
    """Clocks that are 2 % apart at either end: bits of 51 and of 49 cycles against those of 50."""
    for cycles in (49, 51):
        assert _heard_at(50, cycles) == [0xA7, 0x00]


def _heard_at(own: int, other: int) -> list[int]:
    dut, heard = UartReceiver(own), []

    async def bench(ctx: Any) -> None:
        for level, cycles in [*levels(0xA7, cycles=other), *levels(0x00, cycles=other), (1, other)]:
            ctx.set(dut.rx, level)
            for _ in range(cycles):
                if ctx.get(dut.strobe):
                    heard.append(ctx.get(dut.byte))
                await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return heard


@pytest.mark.parametrize("clock, baud, cycles", [(50e6, 1_000_000, 50), (12e6, 115_200, 104), (24.75e6, 1_000_000, 25)])
def test_cycles_a_bit(clock: float, baud: int, cycles: int) -> None:
    assert divisor(clock, baud) == cycles


@pytest.mark.parametrize("clock, baud", [(12e6, 4_000_000), (5.5e6, 1_000_000)])
def test_a_line_that_the_clock_cannot_make_is_refused(clock: float, baud: int) -> None:
    with pytest.raises(UartError, match=f"{baud} baud cannot be made from a clock of {clock / 1e6:g} MHz"):
        divisor(clock, baud)
