"""Integers in gates: every code is all digits, and a key is an offset."""

from __future__ import annotations

import pytest
from amaranth.hdl import Module, Signal, signed

from hw.arithmetic.codecs.registry import codec
from models.ir.formats.integer import IntType
from tests.support.gates import evaluate


def test_an_integer_is_all_digits() -> None:
    assert codec(IntType(8)).significand_bits == (8, 0)
    assert codec(IntType(3, False)).significand_bits == (3, 0)


@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("width", [2, 5])
def test_a_code_is_its_value_without_a_shift_or_a_sign_beside_it(width: int, is_signed: bool) -> None:
    own = codec(IntType(width, is_signed))
    m, code = Module(), Signal(width)
    digits, key, back = Signal(signed(own.signed_digits)), Signal(width), Signal(width)
    split = own.significand(m, code, "code")
    assert (split.shift, split.negative) == (None, None)
    m.d.comb += [digits.eq(split.significand), key.eq(own.sort_key(code)), back.eq(own.from_sort_key(key))]
    least = -(1 << width - 1) if is_signed else 0
    values = range(least, least + (1 << width))
    rows = evaluate(m, [code], [digits, key, back], [(value % (1 << width),) for value in values])
    assert rows == [(value, value - least, value % (1 << width)) for value in values]


def test_only_unsigned_integers_have_magnitudes() -> None:
    assert codec(IntType(3)).magnitudes() is None
    assert codec(IntType(3, False)).magnitudes() == [0, 1, 2, 3, 4, 5, 6, 7]
