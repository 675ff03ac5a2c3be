# amaranth: UnusedElaboratable=no
"""The registers behind their bus: what each kind reads as, takes and refuses."""

from __future__ import annotations

from typing import Any

from hw.interface.axi_layout import AxiLayout, Form
from hw.interface.register_file import DECERR, OKAY, SLVERR, RegisterFile
from hw.interface.registers import WRITABLE, Kind, Register, offsets, register_map
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from tests.hw.interface.simulate import Bus, Watch, simulate

INPUT = AxiLayout(Form.TOKENS, TokenLayout(Shape(32, 32, 2), IntType(3, False), 2))
OUTPUT = AxiLayout(Form.PIXELS, TokenLayout(Shape(1, 1, 10), IntType(16), 1))
TABLE = register_map("0123456789abcdef" * 4, INPUT, OUTPUT)
AT = offsets(TABLE)


def test_reads_and_writes() -> None:
    """Every register answers; only what can be written does not refuse; strobes, flags, counts."""
    dut = RegisterFile(TABLE)
    bus = Bus(dut, "bus")
    finished: list[bool] = []

    async def script(ctx: Any) -> None:
        for register in TABLE:
            data, response = await bus.read(ctx, register.offset)
            assert (data, response) == (register.value, OKAY)
            expected = OKAY if register.kind in WRITABLE else SLVERR
            assert await bus.write(ctx, register.offset, 0, strobes=15) == expected
        assert await bus.read(ctx, max(AT.values()) + 4) == (0, DECERR)
        assert await bus.write(ctx, 0xFFC, 1) == DECERR

        assert await bus.write(ctx, AT["scratch"], 0x44332211, strobes=0b0101) == OKAY
        assert await bus.write(ctx, AT["scratch"], 0x88776655, strobes=0b1000) == OKAY
        assert await bus.read(ctx, AT["scratch"]) == (0x88330011, OKAY)

        ctx.set(dut.errors, 0b101)
        ctx.set(dut.status, 0b10)
        await ctx.tick()
        ctx.set(dut.errors, 0)
        assert await bus.read(ctx, AT["errors"]) == (0b101, OKAY)
        assert await bus.read(ctx, AT["status"]) == (0b10, OKAY)
        assert await bus.write(ctx, AT["errors"], 0b100) == OKAY
        assert await bus.read(ctx, AT["errors"]) == (0b001, OKAY)

        ctx.set(dut.frames_in, 1)
        await ctx.tick().repeat(7)
        ctx.set(dut.frames_in, 0)
        ctx.set(dut.last_cycles, 99)
        ctx.set(dut.last_cycles_valid, 1)
        await ctx.tick()
        ctx.set(dut.last_cycles_valid, 0)
        ctx.set(dut.last_cycles, 5)
        assert await bus.read(ctx, AT["frames_in"]) == (7, OKAY)
        assert await bus.read(ctx, AT["last_cycles"]) == (99, OKAY)
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        for name in ("frames_in", "last_cycles", "errors"):
            assert await bus.read(ctx, AT[name]) == (0, OKAY)
        assert await bus.read(ctx, AT["scratch"]) == (0x88330011, OKAY)

        assert await bus.write(ctx, AT["control"], 0b10) == OKAY
        assert await bus.write(ctx, AT["control"], 0b11, strobes=0b1110) == OKAY
        assert await bus.read(ctx, AT["control"]) == (0, OKAY)
        finished.append(True)

    pulses = Watch(dut.control, dut.control)
    simulate(dut, [pulses], lambda _: bool(finished), script=script)
    assert pulses.seen == [(0b10,)]


def test_the_upper_word_is_that_of_the_moment_the_lower_was_read() -> None:
    dut: Any = RegisterFile([Register("wide", 0, Kind.LATEST, "a number", bits=64)])
    bus = Bus(dut, "bus")
    finished: list[bool] = []

    async def store(ctx: Any, value: int) -> None:
        ctx.set(dut.wide, value)
        ctx.set(dut.wide_valid, 1)
        await ctx.tick()
        ctx.set(dut.wide_valid, 0)

    async def script(ctx: Any) -> None:
        await store(ctx, 0x1234_5678_9ABC_DEF0)
        assert await bus.read(ctx, 0) == (0x9ABC_DEF0, OKAY)
        await store(ctx, 0xFFFF_0000_0000_0001)
        assert await bus.read(ctx, 4) == (0x1234_5678, OKAY)
        assert await bus.read(ctx, 0) == (1, OKAY)
        assert await bus.read(ctx, 4) == (0xFFFF_0000, OKAY)
        assert await bus.read(ctx, 8) == (0, DECERR)
        assert await bus.write(ctx, 4, 0) == SLVERR
        finished.append(True)

    simulate(dut, [], lambda _: bool(finished), script=script)


def test_an_address_reads_the_word_it_lies_in() -> None:
    """The two lowest bits of an address are ignored; an error that comes with its own clearing stays."""
    dut: Any = RegisterFile(TABLE)
    bus = Bus(dut, "bus")
    finished: list[bool] = []

    async def script(ctx: Any) -> None:
        assert await bus.read(ctx, AT["identity"] + 3) == (0x4E575631, OKAY)
        assert await bus.write(ctx, AT["scratch"] + 1, 77) == OKAY
        assert await bus.read(ctx, AT["scratch"] + 2) == (77, OKAY)
        ctx.set(dut.errors, 0b10)
        assert await bus.write(ctx, AT["errors"], 0b10) == OKAY
        assert await bus.read(ctx, AT["errors"]) == (0b10, OKAY)
        finished.append(True)

    simulate(dut, [], lambda _: bool(finished), script=script)
