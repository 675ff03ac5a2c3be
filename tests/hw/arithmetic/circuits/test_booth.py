"""Booth rows: every product of few bits, and those with constants digit by digit."""

from __future__ import annotations

from itertools import product

import pytest
from amaranth.hdl import Module, Signal, signed
from hypothesis import given
from hypothesis import strategies as st

from hw.arithmetic.circuits.booth import booth_digits, booth_product, booth_stages
from tests.support.gates import evaluate


@pytest.mark.parametrize(("a_bits", "b_bits"), [(1, 1), (2, 2), (3, 5), (5, 3), (4, 4), (1, 4), (4, 1)])
def test_product_out_of_adders(a_bits: int, b_bits: int) -> None:
    m, a, b = Module(), Signal(signed(a_bits)), Signal(signed(b_bits))
    product = Signal(signed(a_bits + b_bits + 2))
    m.d.comb += product.eq(booth_product(a, b))
    pairs = [
        (u, v)
        for u in range(-(1 << a_bits) // 2, (1 << a_bits) // 2)
        for v in range(-(1 << b_bits) // 2, (1 << b_bits) // 2)
    ]
    assert [p for (p,) in evaluate(m, [a, b], [product], pairs)] == [u * v for u, v in pairs]


def test_booth_rows_negate_a_product_for_nothing() -> None:
    m, a, b, negative = Module(), Signal(signed(3)), Signal(signed(4)), Signal()
    result = Signal(signed(10))
    m.d.comb += result.eq(booth_product(a, b, negative=negative))
    rows = list(product(range(-4, 4), range(-8, 8), (0, 1)))
    assert evaluate(m, [a, b, negative], [result], rows) == [(-u * v if minus else u * v,) for u, v, minus in rows]


@pytest.mark.parametrize(("a", "b", "stages"), [(8, 8, 2), (4, 9, 1), (9, 5, 2), (1, 1, 1), (16, 9, 3)])
def test_a_register_for_every_two_rows_of_two_bits(a: int, b: int, stages: int) -> None:
    assert booth_stages(a, b) == booth_stages(b, a) == stages


@given(st.integers(-(1 << 20), 1 << 20))
def test_digits_of_radix_4_make_the_number(value: int) -> None:
    digits = booth_digits(value)
    assert sum(digit * 4**place for place, digit in enumerate(digits)) == value
    assert all(-2 <= digit <= 2 for digit in digits)
