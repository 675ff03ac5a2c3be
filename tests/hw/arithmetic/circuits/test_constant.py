"""Ends of products with constants, against every value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.arithmetic.circuits.constant import product_bits, trailing_zeros
from models.ir.formats.registry import parse_dtype


@given(st.integers(-(1 << 16), 1 << 16).filter(bool))
def test_trailing_zeros_are_the_twos_that_divide_a_number(value: int) -> None:
    places = trailing_zeros(value)
    assert value % (1 << places) == 0
    assert value // (1 << places) % 2 == 1


@pytest.mark.parametrize("name", ["int4", "uint3", "dybit4", "udybit3"])
@pytest.mark.parametrize("value", [-8, -3, -1, 1, 2, 5])
def test_the_narrowest_signed_number_that_holds_every_product(name: str, value: int) -> None:
    products = [value * int(feature) for feature in parse_dtype(name).values()]
    holds = [bits for bits in range(1, 20) if all(-(1 << bits - 1) <= each < 1 << bits - 1 for each in products)]
    assert product_bits(parse_dtype(name), value) == min(holds)
