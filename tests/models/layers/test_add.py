"""The residual add: both branches rounded by themselves, their sum clipped, and rounded once more if tapered."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
import torch

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.minifloat import FloatType
from models.ir.node import Shape
from models.layers.add import AddLayer
from models.layers.integers import Integers
from tests.models.layers.small import assert_golden_agrees, integer_images, requant_params

SHAPE = Shape(1, 1, 1)
ADD = AddLayer(name="add", inputs=("a", "b"), shape=SHAPE)


def test_branches_are_rounded_before_they_are_added() -> None:
    """Halves of 3 and 5: 1.5 and 2.5 round up to 2 and 3, though their sum is 4."""
    half = requant_params([1], shift=1)
    own = Integers(dtype=IntType(4), scale=1.0, requants=(half, half), lo=-8, hi=7)
    pairs = torch.tensor([[3, 5], [-3, -5], [15, 15], [-16, -8]]).T.reshape(2, 4, 1, 1, 1)
    assert ADD.integer(own, *pairs).flatten().tolist() == [5, -3, 7, -8]


@pytest.mark.parametrize("dtype", [IntType(4), IntType(3, False), DyBitType(4), DyBitType(3, False), FloatType(4)])
def test_every_pair_is_rounded_as_fractions_are(dtype: DType) -> None:
    source = IntType(4)
    codes = range(source.min, source.max + 1)
    values = [Fraction(value) for value in dtype.values().tolist()]
    lo, hi = int(values[1]), int(values[-2])
    # whole steps of an integer format, halves of a tapered one
    unit = Fraction(1, 1 << dtype.guard_bits)
    own = Integers(
        dtype=dtype, scale=1.0, lo=lo, hi=hi,
        requants=tuple(ADD.branch(requant_params([mult], 2), source, dtype) for mult in (5, 11)),
    )  # fmt: skip
    a, b = torch.cartesian_prod(torch.tensor(codes), torch.tensor(codes)).T.reshape(2, -1, 1, 1, 1)

    def expected(a: int, b: int) -> Fraction:
        total = unit * sum(floor(Fraction(x * mult, 4) + Fraction(1, 2)) for x, mult in ((a, 5), (b, 11)))
        total = min(max(total, Fraction(lo)), Fraction(hi))
        return min(values, key=lambda value: (abs(value - total), -value))

    assert ADD.integer(own, a, b).flatten().tolist() == [expected(a, b) for a in codes for b in codes]


@pytest.mark.parametrize("dtype", [IntType(4), IntType(4, False), DyBitType(3), DyBitType(3, False)])
def test_a_branch_is_clipped_beyond_four_times_the_sums_range_or_to_what_it_can_reach(dtype: DType) -> None:
    def limits(mult: int, shift: int) -> tuple[int, int]:
        branch = ADD.branch(requant_params([mult], shift, 0, 7), IntType(8), dtype)
        return branch.lo, branch.hi

    # of int8, from -128 to 127: a 32nd, and four times
    assert limits(1, 5) == (-4, 4)
    largest = max(dtype.max, -dtype.min) << dtype.guard_bits
    low, high = limits(4, 0)
    assert low == -high - 1
    assert 4 * largest <= high < 4 * (largest + (1 << dtype.guard_bits))


@pytest.mark.parametrize("dtype", [IntType(4), DyBitType(4, False)])
def test_golden_adds_the_same(dtype: DType) -> None:
    layer = AddLayer(name="add", inputs=("a", "b"), shape=Shape(4, 5, 3))
    requants = tuple(ADD.branch(requant_params(mult, 3), IntType(4), dtype) for mult in ([3, 9, 20], [8, 1, 7]))
    own = Integers(dtype=dtype, scale=1.0, requants=requants, lo=max(dtype.min, -3), hi=dtype.max)
    assert_golden_agrees(layer, own, integer_images(3, 4, 5), integer_images(3, 4, 5, seed=1))


def test_a_tapered_sum_is_taken_in_half_steps() -> None:
    assert [ADD.divisor(SHAPE, dtype) for dtype in (IntType(4), DyBitType(4))] == [1, 0.5]
