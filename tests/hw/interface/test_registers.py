# amaranth: UnusedElaboratable=no
"""The register map: one table, of which the documents say the same as the hardware does."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hw.interface.axi_layout import AxiLayout, Form
from hw.interface.register_file import DECERR, OKAY, SLVERR, RegisterFile
from hw.interface.registers import WRITABLE, Kind, c_header, markdown, offsets, register_map
from hw.interface.rules import Fault
from hw.streams.layout import MaskLayout, TokenLayout
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from tests.hw.interface.simulate import Bus, Watch, simulate

DEMO = AxiLayout(Form.TOKENS, TokenLayout(Shape(32, 32, 2), IntType(3, False), 2))
VECTOR = AxiLayout(Form.PIXELS, TokenLayout(Shape(1, 1, 10), IntType(16), 1))
TABLE = register_map("0123456789abcdef" * 4, DEMO, VECTOR)
AT = offsets(TABLE)


def test_offsets_are_words_of_their_own() -> None:
    words = [register.offset + 4 * n for register in TABLE for n in range(register.bits // 32)]
    assert words == sorted(set(words))
    assert all(word % 4 == 0 for word in words)
    assert {f"error_{fault.name.lower()}" for fault in Fault} < set(AT)


def test_the_header_is_the_table() -> None:
    defined = dict(re.findall(r"#define NETWEAVE_(\w+) 0x([0-9A-F]+)u", c_header(TABLE)))
    for register in TABLE:
        name = register.name.upper()
        assert int(defined.pop(name), 16) == register.offset
        if register.kind is Kind.CONSTANT:
            assert int(defined.pop(f"{name}_VALUE"), 16) == register.value
        for field in register.fields:
            assert int(defined.pop(f"{name}_{field.name.upper()}"), 16) == 1 << field.bit
    assert not defined


def test_the_map_has_every_register_and_field() -> None:
    text = markdown(TABLE, DEMO, VECTOR)
    rows = re.findall(r"^\| `0x(\w+)` \| (\w+) \|", text, re.M)
    assert {name.lower(): int(offset, 16) for offset, name in rows} == AT
    for register in TABLE:
        for field in register.fields:
            assert f"| {field.bit} | {field.name} | {field.text} |" in text
    assert "| 16 to 11 | features |" in text
    assert "4 bytes, at most 1025 beats" in text


def test_the_words_of_a_frame_in_the_documentation() -> None:
    frame = Frame(32, 32, [[3, 7], [9, 0]], [[5, 1], [2, 0]])  # type: ignore[arg-type]
    assert [beat.data for beat in DEMO.beats(frame)] == [0x69C6, 0x1012, 1]
    assert DEMO.bytes == 4
    with pytest.raises(ValueError, match="form 'tokens' does not carry frames of a MaskLayout"):
        AxiLayout(Form.TOKENS, MaskLayout(Shape(2, 2, 1), IntType(2), 1, 8))
    with pytest.raises(ValueError, match="a frame of pixels has all 6 sites or none, not 2"):
        AxiLayout(Form.PIXELS, TokenLayout(Shape(2, 3, 1), IntType(2), 1)).beats(
            Frame(2, 3, [[0, 0], [1, 0]], [[1], [1]])  # type: ignore[arg-type]
        )


def test_reads_and_writes() -> None:
    """Every register answers; only what can be written does not refuse; strobes, flags, the upper word of a count."""
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
