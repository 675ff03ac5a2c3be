"""Golden's products, sums and encodings against rational arithmetic on the values that codes are defined to have."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.ops.conv import Conv
from models.ir.requant import Requant
from tests.support.rationals import nearest_code, real_values, requantized, unit

FORMATS = {
    width: [kind(width, signed) for kind in (IntType, DyBitType) for signed in (True, False)] for width in range(2, 9)
}
SMALL = [dtype for width in (2, 3, 4) for dtype in FORMATS[width]]
LARGE = [dtype for width in (5, 6, 7, 8) for dtype in FORMATS[width]]
PAIRS = [(x, w) for x, w in product(SMALL, SMALL) if isinstance(x, DyBitType) or isinstance(w, DyBitType)]
"""Of 2 to 4 bits, those of which one at least is tapered."""


def sums(x: DType, w: DType, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``[sites, outputs]``: golden's sums of a pointwise convolution of codes ``[sites, c]`` and ``[outputs, c]``."""
    frame = Frame.from_dense(x.decode(features)[None])
    node = Conv(
        name="op", inputs=("input",), dtype=IntType(32), weight=w.decode(weights)[:, :, None, None], weight_dtype=w,
        requant=Requant.identity(len(weights), 0, 1), kernel=1, stride=1, padding=0,
    )  # fmt: skip
    return node.accumulate(frame).features


def products(x: DType, w: DType) -> tuple[np.ndarray, list[Fraction]]:
    """By codes which of the different real products theirs is; those products."""
    table = [[a * b for b in real_values(w)] for a in real_values(x)]
    different = sorted({value for row in table for value in row})
    place = {value: n for n, value in enumerate(different)}
    return np.array([[place[value] for value in row] for row in table]), different


def units(value: Fraction, x: DType, w: DType) -> int:
    """A real sum of products in the unit that decoded integers have; it has no other part."""
    whole = value / (unit(x) * unit(w))
    assert whole.denominator == 1
    return whole.numerator


@pytest.mark.parametrize(("x", "w"), PAIRS, ids=str)
def test_every_product_and_every_sum_of_two_of_2_to_4_bits(x: DType, w: DType) -> None:
    """Sums of every two pairs of codes."""
    of_x, of_w = 1 << x.width, 1 << w.width
    place, real = products(x, w)
    want = np.array([units(value, x, w) for value in real])[place]
    assert np.array_equal(sums(x, w, np.arange(of_x)[:, None], np.arange(of_w)[:, None]), want)
    want = np.array([[units(a + b, x, w) for b in real] for a in real])
    features, weights = (np.array(list(product(range(n), repeat=2))) for n in (of_x, of_w))
    first, second = (place[features[:, None, n], weights[None, :, n]] for n in (0, 1))
    assert np.array_equal(sums(x, w, features, weights), want[first, second])


@given(st.sampled_from(LARGE), st.sampled_from(SMALL + LARGE), st.data())
def test_products_and_sums_of_5_to_8_bits(x: DType, w: DType, data: st.DataObject) -> None:
    """Of each feature code with some weights, and of drawn sums of up to 40 products."""
    some = data.draw(st.lists(st.integers(0, (1 << w.width) - 1), min_size=1, max_size=6))
    got = sums(x, w, np.arange(1 << x.width)[:, None], np.array(some)[:, None])
    of_w = real_values(w)
    assert got.tolist() == [[units(a * of_w[b], x, w) for b in some] for a in real_values(x)]
    terms = data.draw(st.integers(1, 40))
    features, weights = (
        data.draw(st.lists(st.integers(0, (1 << dtype.width) - 1), min_size=terms, max_size=terms)) for dtype in (x, w)
    )
    want = sum(real_values(x)[a] * of_w[b] for a, b in zip(features, weights, strict=True))
    assert sums(x, w, np.array([features]), np.array([weights])).item() == units(Fraction(want), x, w)


SCALES = [(1, 0), (40000, 15), (65535, 20), (33333, 18), (1, 3), (52429, 14)]
"""(mult, shift): from a fraction of a unit to several units a step of the sum, and ties at every second sum."""


@pytest.mark.few(3)
@pytest.mark.parametrize("dtype", [dtype for dtype in SMALL if isinstance(dtype, DyBitType)], ids=str)
def test_every_sum_of_two_products_is_encoded_to_the_nearest_value(dtype: DType) -> None:
    """The sums of products of 4 bits, which are -2048 to 2048 of their units, at several scales, with a bias."""
    one = unit(DyBitType(4, False)) * unit(DyBitType(4))
    values = np.arange(-2048, 2049)
    for (mult, shift), lo, fraction in product(SCALES, {0, dtype.min}, (0, 2)):
        requant = Requant(np.array([3]), np.array([mult]), shift + fraction, lo, dtype.max, fraction)
        got = dtype.encode(requant.to_dtype(values[:, None], dtype))[:, 0]
        want = [nearest_code(requantized(value * one, requant, 0, one), dtype) for value in values.tolist()]
        assert got.tolist() == want


@pytest.mark.parametrize("dtype", [dtype for dtype in LARGE if isinstance(dtype, DyBitType)], ids=str)
def test_5_to_8_bits_are_encoded_to_the_nearest_value(dtype: DType) -> None:
    """Every value, every middle of two, what lies beside them, and beyond the largest."""
    table = sorted(value / unit(dtype) for value in set(real_values(dtype)))
    middles = [(a + b) / 2 for a, b in pairwise(table)]
    near = {int(value) + step for value in (*table, *middles) for step in (-1, 0, 1, 2)}
    wanted = sorted(near | {-2 * dtype.max, 2 * dtype.max})
    assert dtype.encode(np.array(wanted)).tolist() == [nearest_code(Fraction(value), dtype) for value in wanted]
