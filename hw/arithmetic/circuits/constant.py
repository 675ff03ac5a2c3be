"""What a feature times a weight that never changes is made of."""

from __future__ import annotations

from typing import NamedTuple

from models.ir.accumulator import width
from models.ir.dtype import DType

ADDED_ROWS, CHOSEN_ROWS, GATES, SHIFTS = range(4)
"""Features of constant products: bits of adders of rows; of rows that the feature chooses; of what is looked up or
inverted before an adder; of what is shifted, by how many places.
"""
FUNCTIONS_PER_ROW = 3
"""Bits of the functions of a feature that all bits of a row share."""


class Logic(NamedTuple):
    """LUTs of a product with a constant. Products of a feature share those of the same term and key.

    Parameters
        term       the entry that counts them: ADDED_ROWS, CHOSEN_ROWS, GATES or SHIFTS
        key        what tells different logic of that term apart
        bits       bits that the term counts
    """

    term: int
    key: object
    bits: int


class ConstantProduct(NamedTuple):
    """A feature times a constant.

    Parameters
        low        the lowest bit that is not always 0
        high       the bit above the highest that is not a copy of it; 0 where the product is 0
        operand    bits of the constant where a DSP block may multiply by it
        logic      what else it is made of
    """

    low: int = 0
    high: int = 0
    operand: int = 0
    logic: tuple[Logic, ...] = ()


def product_bits(features: DType, value: int) -> int:
    """Bits of the product of any feature and a constant.

    Parameters
        features   format of the features
        value      the constant
    """
    return width(*sorted((value * features.min, value * features.max)))


def trailing_zeros(value: int) -> int:
    """How many of the lowest bits of a number other than 0 are 0.

    Parameters
        value      the number
    """
    return (value & -value).bit_length() - 1
