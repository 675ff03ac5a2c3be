"""DyBit against its published table."""

from __future__ import annotations

import pytest

from models.ir.formats.dybit import DyBitType


def test_the_published_four_bit_table() -> None:
    table = DyBitType(4, signed=False).values() / 8
    assert table.tolist() == [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1.25, 1.5, 1.75, 2, 3, 4, 8]


@pytest.mark.parametrize(
    ("dtype", "magnitudes"),
    [(DyBitType(2), [0, 1]), (DyBitType(2, False), [0, 1, 2, 4]), (DyBitType(4), [0, 1, 2, 3, 4, 6, 8, 16])],
    ids=str,
)
def test_small_tables_worked_out_by_hand(dtype: DyBitType, magnitudes: list[int]) -> None:
    """Of three bits 110 is 2, which is 8 steps of a quarter, and 111 is 4."""
    assert dtype.magnitudes.tolist() == magnitudes


def test_its_table_cannot_be_changed() -> None:
    """All formats of one width share it."""
    with pytest.raises(ValueError, match="read-only"):
        DyBitType(4).magnitudes[0] = 1
