"""What tapered formats share: sign and magnitude, and ties upward."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.formats.dybit import DyBitType
from models.ir.formats.registry import FORMATS
from models.ir.formats.tapered import TaperedType

TAPERED = [
    dtype
    for kind in FORMATS.values()
    for width in kind.widths
    for dtype in (kind(width), kind(width, False))
    if isinstance(dtype, TaperedType)
]


@pytest.mark.parametrize("dtype", TAPERED, ids=str)
def test_a_codes_magnitude_rises_with_it_from_0_and_1(dtype: TaperedType) -> None:
    """The hardware compares codes in place of values."""
    assert dtype.magnitudes[:2].tolist() == [0, 1]
    assert (np.diff(dtype.magnitudes) > 0).all()
    assert len(dtype.magnitudes) == 1 << dtype.width - dtype.signed


@pytest.mark.parametrize("dtype", [own for own in TAPERED if own.signed], ids=str)
def test_the_bit_above_the_magnitude_is_the_sign(dtype: TaperedType) -> None:
    sign = 1 << dtype.width - 1
    codes = np.arange(sign)
    assert dtype.decode(codes | sign).tolist() == (-dtype.decode(codes)).tolist()
    assert (dtype.encode(np.array([0])).item(), dtype.decode(np.array([sign])).item()) == (0, 0)


def test_ties_go_up_on_either_side_of_zero() -> None:
    """The magnitudes of dybit4 are 0, 1, 2, 3, 4, 6, 8 and 16: 5, 7 and 12 are ties."""
    ties = np.array([5, 7, 12, -5, -7, -12])
    assert DyBitType(4).nearest_value(ties).tolist() == [6, 8, 16, -4, -6, -8]
    # halves of a step: 4.5 is nearer to 4 than 6, and -0.5 is a tie, which goes up to a zero without a sign
    assert DyBitType(4).encode_doubled(np.array([9, -1, -2, 24])).tolist() == [0b0100, 0b0000, 0b1001, 0b0111]
    assert DyBitType(4, False).nearest_value(np.array([-3])).tolist() == [0]
