# amaranth: UnusedElaboratable=no
"""Choices and constant factors, exhaustively, and the cells that they are made of."""

from __future__ import annotations

import re

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Const, Module, Signal, signed

from hw.arithmetic.choice import choice, times
from tests.support.gates import evaluate


def cells(m: Module, ports: list[Signal]) -> set[str]:
    """The kinds of Yosys cells that the logic is made of."""
    return set(re.findall(r"cell (\S+)", rtlil.convert(m, ports=ports, emit_src=False)))


@pytest.mark.parametrize("count", [1, 2, 4, 16])
def test_the_option_with_the_number_is_chosen_by_two_way_multiplexers(count: int) -> None:
    numbers = [37 * n % 64 - 32 for n in range(count)]
    m, address, result = Module(), Signal(max(1, (count - 1).bit_length())), Signal(signed(6))
    bits = [*address] if count > 1 else []
    m.d.comb += result.eq(choice([Const(number, signed(6)) for number in numbers], bits))
    assert evaluate(m, [address], [result], [(n,) for n in range(count)]) == [(number,) for number in numbers]
    other, address = Module(), Signal(4)
    other.d.comb += result.eq(choice([Const(n, 6) for n in range(16)], [*address]))
    assert cells(other, [address, result]) == {"$mux"}


@pytest.mark.parametrize("factor", [0, 1, 2, 3, 7, 45, 64])
@pytest.mark.parametrize("is_signed", [False, True])
def test_a_product_by_a_constant_takes_no_multiplier(factor: int, is_signed: bool) -> None:
    m, value, result = Module(), Signal(signed(3) if is_signed else 3), Signal(signed(16))
    m.d.comb += result.eq(times(value, factor))
    values = range(-4, 4) if is_signed else range(8)
    assert evaluate(m, [value], [result], [(v,) for v in values]) == [(v * factor,) for v in values]
    assert cells(m, [value, result]) <= {"$add", "$shl"}
