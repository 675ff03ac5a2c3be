"""Products of codes in LUTs, exhaustively, and the figures of their circuits."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Const, Module, Mux, Signal, signed

from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.products import (
    FEW_DIGITS,
    booth_product,
    lut_stages,
    multiplexed_product,
    shift_stages,
    significand_product,
    table_bits,
    table_inputs,
)
from models.ir.formats.dybit import DyBitType
from models.ir.formats.registry import parse_dtype
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


@pytest.mark.parametrize(("a_name", "b_name"), [("dybit3", "udybit3"), ("int3", "dybit4"), ("udybit3", "pot3")])
def test_every_product_of_significands_and_of_multiples(a_name: str, b_name: str) -> None:
    """A product by multiples leaves 1 to add where it is below zero."""
    a_type, b_type = parse_dtype(a_name), parse_dtype(b_name)
    m, a, b = Module(), Signal(a_type.width), Signal(b_type.width)
    decoded, shifted, multiplexed = (Signal(signed(16), name=name) for name in ("decoded", "shifted", "multiplexed"))
    in_b = codec(b_type).significand(m, b, "b")
    m.d.comb += decoded.eq(codec(a_type).decode(m, a, "decoded_a"))
    m.d.comb += shifted.eq(significand_product(codec(a_type).significand(m, a, "a"), in_b, 16))
    outputs = [shifted]
    if len(in_b.significand) <= FEW_DIGITS:
        inverted, carry = multiplexed_product(decoded, decoded * 3, in_b, 16)
        m.d.comb += multiplexed.eq(inverted + (Const(0) if carry is None else Mux(carry, 1, 0)))
        outputs.append(multiplexed)
    rows = list(product(range(1 << a_type.width), range(1 << b_type.width)))
    u, v = np.array(rows).T
    expected = (a_type.decode(u) * b_type.decode(v)).tolist()
    assert evaluate(m, [a, b], outputs, rows) == [(value,) * len(outputs) for value in expected]


@pytest.mark.parametrize(("a", "b", "stages"), [(8, 8, 2), (4, 9, 1), (9, 5, 2), (1, 1, 1), (16, 9, 3)])
def test_a_register_for_every_two_rows_of_two_bits(a: int, b: int, stages: int) -> None:
    assert lut_stages(a, b) == lut_stages(b, a) == stages


def test_a_shift_takes_a_register_more() -> None:
    """A signed 8-bit DyBit has 6 digits and, to be signed, a seventh."""
    assert codec(DyBitType(8)).signed_digits == 7
    assert shift_stages(DyBitType(8), DyBitType(8)) == 3


@pytest.mark.parametrize(
    ("a", "b", "bits"),
    [("dybit4", "udybit4", 7), ("uint4", "uint3", 7), ("dybit2", "dybit2", 2), ("int4", "uint2", None)],
)
def test_a_table_is_addressed_by_both_magnitudes(a: str, b: str, bits: int | None) -> None:
    assert table_bits(parse_dtype(a), parse_dtype(b)) == table_bits(parse_dtype(b), parse_dtype(a)) == bits


def test_bits_that_a_product_depends_on() -> None:
    """Of every bit of the product, the bits of either code that change it for some value of the others."""
    a, b = DyBitType(3), DyBitType(2)
    left, right = (list(map(int, own.magnitudes)) for own in (a, b))
    product = [[x * y for x in left] for y in right]
    found = []
    for bit in range(max(map(max, product)).bit_length()):
        of_left = [
            any(row[n] >> bit & 1 != row[n ^ 1 << k] >> bit & 1 for row in product for n in range(len(left)))
            for k in range((len(left) - 1).bit_length())
        ]
        of_right = [
            any(
                product[n][x] >> bit & 1 != product[n ^ 1 << k][x] >> bit & 1
                for x in range(len(left))
                for n in range(len(right))
            )
            for k in range((len(right) - 1).bit_length())
        ]
        found.append(sum(of_left) + sum(of_right))
    assert table_inputs(a, b) == tuple(found)
    assert found
