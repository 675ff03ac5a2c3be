"""The register map: one table, of which the documents say the same."""

from __future__ import annotations

import re

from hw.interface.axi_layout import AxiLayout, Form
from hw.interface.registers import Kind, c_header, markdown, offsets, register_map
from hw.interface.rules import Fault
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape

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
