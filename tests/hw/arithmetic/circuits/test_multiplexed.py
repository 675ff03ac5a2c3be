"""Products as a choice of multiples: every one of few bits."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Const, Module, Mux, Signal, signed

from hw.arithmetic.circuits.multiplexed import FEW_DIGITS, multiplexed_product
from hw.arithmetic.codecs.registry import codec
from models.ir.formats.registry import parse_dtype
from tests.support.gates import evaluate


@pytest.mark.parametrize(("a_name", "b_name"), [("int3", "dybit4"), ("udybit3", "pot3"), ("dybit3", "udybit3")])
def test_every_product_of_multiples(a_name: str, b_name: str) -> None:
    """A product below zero leaves 1 to add."""
    a_type, b_type = parse_dtype(a_name), parse_dtype(b_name)
    m, a, b = Module(), Signal(a_type.width), Signal(b_type.width)
    decoded, result, in_b = Signal(signed(16)), Signal(signed(16)), codec(b_type).significand(m, b, "b")
    assert len(in_b.significand) <= FEW_DIGITS
    m.d.comb += decoded.eq(codec(a_type).decode(m, a, "decoded_a"))
    inverted, carry = multiplexed_product(decoded, decoded * 3, in_b, 16)
    m.d.comb += result.eq(inverted + (Const(0) if carry is None else Mux(carry, 1, 0)))
    rows = list(product(range(1 << a_type.width), range(1 << b_type.width)))
    u, v = np.array(rows).T
    expected = (a_type.decode(u) * b_type.decode(v)).tolist()
    assert evaluate(m, [a, b], [result], rows) == [(value,) for value in expected]
