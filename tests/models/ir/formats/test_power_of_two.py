"""Powers of two, worked out by hand."""

from __future__ import annotations

import pytest

from models.ir.formats.power_of_two import PowerType


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (PowerType(3), [-4, -2, -1, 0, 1, 2, 4]),
        (PowerType(3, False), [0, 1, 2, 4, 8, 16, 32, 64]),
        (PowerType(4), [-64, -32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32, 64]),
    ],
    ids=str,
)
def test_every_value(dtype: PowerType, values: list[int]) -> None:
    assert dtype.values().tolist() == values


def test_the_middle_of_two_powers_goes_up() -> None:
    """3 lies in the middle of 2 and 4, and -3 of -4 and -2."""
    wanted = [2, 3, 5, 6, 7, -3, -6, 100]
    assert [int(PowerType(4).nearest_value(own)) for own in wanted] == [2, 4, 4, 8, 8, -2, -4, 64]
