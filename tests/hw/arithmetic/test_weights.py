# amaranth: UnusedElaboratable=no
"""Weight memories: words worked out by hand, and the cycle in which each is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.back import rtlil
from amaranth.hdl import Const, Module, Signal

from hw.arithmetic.weights import pack_codes, weight_word
from hw.fpga.mapping import Memory
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from tests.support.clocked import clocked

WORDS = [(13 * n + 5) % 31 for n in range(6)]


def test_the_code_of_the_first_lane_is_lowest() -> None:
    assert pack_codes(np.array([[1, -2, 0], [7, -8, -1]]), IntType(4)) == [0x0E1, 0xF87]
    # magnitudes 0, 1, 2, 3, 4, 6, 8, 16 have the codes 0 to 7; the sign is the highest bit
    assert pack_codes(np.array([[-6, 16], [0, -16]]), DyBitType(4)) == [0x7D, 0xF0]


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_a_word_is_read_two_cycles_after_its_address_and_the_delay(delay: int) -> None:
    m, address = Module(), Signal(range(len(WORDS)))
    word = weight_word(m, WORDS, 5, Memory.LUT, address, delay)
    addresses = [0, 5, 3, 3, 1, 4, 2, 0, 5]

    def put(ctx: Any, step: int) -> None:
        ctx.set(address, addresses[step])

    assert clocked(m, len(addresses), 2 + delay, put, lambda ctx: ctx.get(word)) == [WORDS[n] for n in addresses]


@pytest.mark.parametrize(("kind", "style"), [(Memory.LUT, "logic"), (Memory.BRAM, "block")])
def test_the_kind_of_memory_is_told_to_the_synthesis(kind: Memory, style: str) -> None:
    m, address, port = Module(), Signal(3), Signal(5)
    m.d.comb += port.eq(weight_word(m, WORDS, 5, kind, address, 0))
    text = rtlil.convert(m, ports=[address, port], emit_src=False)
    assert f'attribute \\rom_style "{style}"' in text
    assert f'attribute \\ram_style "{style}"' in text


def test_a_single_word_is_a_constant() -> None:
    word = weight_word(Module(), [9], 5, Memory.BRAM, Signal(1), 4)
    assert isinstance(word, Const)
    assert (word.value, len(word)) == (9, 5)
