"""Tables of products: their address bits, and on which of them each bit depends."""

from __future__ import annotations

import pytest

from hw.arithmetic.circuits.lookup_table import table_bits, table_inputs
from models.ir.formats.dybit import DyBitType
from models.ir.formats.registry import parse_dtype


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
    inputs = []
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
        inputs.append(sum(of_left) + sum(of_right))
    assert table_inputs(a, b) == tuple(inputs)
    assert inputs
