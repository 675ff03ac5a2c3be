"""Every product of two DyBit codes and every requantize of the 4-bit formats, simulated against the formats."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed

from hw.arithmetic.circuits.booth import booth_product
from hw.arithmetic.circuits.lookup_table import lookup_product
from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.requant import Requant
from tests.hw.arithmetic.test_requantizer import check
from tests.support.gates import evaluate

DYBIT = [DyBitType(width, is_signed) for width in (2, 3, 4) for is_signed in (False, True)]


@pytest.mark.parametrize("b_type", DYBIT, ids=str)
@pytest.mark.parametrize("a_type", DYBIT, ids=str)
def test_every_dybit_product(a_type: DyBitType, b_type: DyBitType) -> None:
    """Decoded and multiplied, by ``*`` and out of adders."""
    m, a, b = Module(), Signal(a_type.width), Signal(b_type.width)
    left = Signal(signed(signed_width(a_type)))
    right = Signal(signed(signed_width(b_type)))
    product, adders = Signal(signed(40)), Signal(signed(40))
    m.d.comb += [left.eq(codec(a_type).decode(m, a, "a")), right.eq(codec(b_type).decode(m, b, "b"))]
    m.d.comb += [product.eq(left * right), adders.eq(booth_product(left, right))]
    pairs = [(u, v) for u in range(1 << a_type.width) for v in range(1 << b_type.width)]
    u, v = np.array(pairs).T
    want = (a_type.decode(u) * b_type.decode(v)).tolist()
    assert evaluate(m, [a, b], [product, adders], pairs) == [(w, w) for w in want]


LOOKED_UP = [*DYBIT, *(IntType(width, signed=False) for width in (2, 3, 4))]


@pytest.mark.parametrize("b_type", DYBIT, ids=str)
@pytest.mark.parametrize("a_type", LOOKED_UP, ids=str)
def test_every_product_that_is_looked_up(a_type: DType, b_type: DyBitType) -> None:
    m, a, b, product = Module(), Signal(a_type.width), Signal(b_type.width), Signal(signed(40))
    m.d.comb += product.eq(lookup_product(a, a_type, b, b_type))
    pairs = [(u, v) for u in range(1 << a_type.width) for v in range(1 << b_type.width)]
    u, v = np.array(pairs).T
    want = (a_type.decode(u) * b_type.decode(v)).tolist()
    assert evaluate(m, [a, b], [product], pairs) == [(w,) for w in want]


@pytest.mark.parametrize("name", ["int4", "uint4", "dybit4", "udybit4"])
def test_every_requantize_of_a_4_bit_format(name: str) -> None:
    """Every sum of 8 bits, by each of several multipliers and shifts: below, on and above every rounding and clip."""
    dtype = parse_dtype(name)
    sums = np.arange(-128, 128).reshape(-1, 1)
    for bias, mult, shift, fraction in [(0, 1, 0, 0), (3, 1, 1, 0), (-5, 3, 3, 1), (1, 5, 2, 0), (-7, 13, 6, 2)]:
        requant = Requant(np.array([bias]), np.array([mult]), shift, dtype.min, dtype.max, fraction)
        check(requant, dtype, 1, sums)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["int4", "uint4", "dybit4", "udybit4"])
def test_every_small_multiplier_of_a_4_bit_format(name: str) -> None:
    """Every sum of 8 bits by every multiplier of 4 bits and every shift to 6, each with a bias."""
    dtype = parse_dtype(name)
    mults = np.arange(16)
    sums = np.repeat(np.arange(-128, 128).reshape(-1, 1), len(mults), axis=1)
    for shift in range(7):
        check(Requant(mults * 3 - 20, mults, shift, dtype.min, dtype.max), dtype, 16, sums)


@pytest.mark.slow
@pytest.mark.parametrize("b_signed", [False, True])
@pytest.mark.parametrize("a_signed", [False, True])
def test_every_product_of_8_bit_dybit(a_signed: bool, b_signed: bool) -> None:
    test_every_dybit_product(DyBitType(8, a_signed), DyBitType(8, b_signed))
