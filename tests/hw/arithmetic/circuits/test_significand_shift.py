"""Products of significands: every one of few bits, their registers and their places."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed

from hw.arithmetic.circuits.significand_shift import SIGNIFICAND_SHIFT, places_width, significand_product
from hw.arithmetic.codecs.registry import codec
from models.ir.formats.dybit import DyBitType
from models.ir.formats.registry import parse_dtype
from tests.support.gates import evaluate


@pytest.mark.parametrize(("a_name", "b_name"), [("dybit3", "udybit3"), ("int3", "dybit4"), ("udybit3", "pot3")])
def test_every_product_of_significands(a_name: str, b_name: str) -> None:
    a_type, b_type = parse_dtype(a_name), parse_dtype(b_name)
    m, a, b = Module(), Signal(a_type.width), Signal(b_type.width)
    shifted, in_b = Signal(signed(16)), codec(b_type).significand(m, b, "b")
    m.d.comb += shifted.eq(significand_product(codec(a_type).significand(m, a, "a"), in_b, 16))
    rows = list(product(range(1 << a_type.width), range(1 << b_type.width)))
    u, v = np.array(rows).T
    expected = (a_type.decode(u) * b_type.decode(v)).tolist()
    assert evaluate(m, [a, b], [shifted], rows) == [(value,) for value in expected]


def test_a_shift_takes_a_register_more() -> None:
    """A signed 8-bit DyBit has 6 digits and, to be signed, a seventh."""
    assert codec(DyBitType(8)).signed_digits == 7
    assert SIGNIFICAND_SHIFT.stages(DyBitType(8), DyBitType(8)) == 3


@pytest.mark.parametrize(("x", "w"), list(product(("int4", "dybit4", "udybit8"), ("dybit5", "dybit6", "dybit8"))))
def test_the_number_of_places_holds_the_largest_shift(x: str, w: str) -> None:
    shifts = [max(codec(dtype).shift(int(value)) for value in dtype.values()) for dtype in map(parse_dtype, (x, w))]
    # the sum of two numbers has a bit more than either, whether it needs it or not
    bits = max(shift.bit_length() for shift in shifts) + all(shifts)
    assert bits >= sum(shifts).bit_length()
    assert places_width(parse_dtype(x), parse_dtype(w)) == bits
