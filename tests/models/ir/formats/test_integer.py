"""Integers against Python's two's complement."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.formats.integer import IntType


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("size", [1, 2])
def test_codes_are_what_python_reads_from_bytes(size: int, signed: bool) -> None:
    dtype, codes = IntType(8 * size, signed), range(0, 1 << 8 * size, 1 if size == 1 else 97)
    expected = [int.from_bytes(code.to_bytes(size, "big"), "big", signed=signed) for code in codes]
    assert dtype.decode(np.array(codes)).tolist() == expected
    assert dtype.encode(np.array(expected)).tolist() == list(codes)


def test_numbers_beyond_the_ends_become_the_ends() -> None:
    assert IntType(3).encode(np.array([-9, -5, 4, 9])).tolist() == [0b100, 0b100, 0b011, 0b011]
    assert IntType(3, False).nearest_value(np.array([-1, 8])).tolist() == [0, 7]


def test_the_ends_of_64_bits_are_exact() -> None:
    assert (IntType(64).min, IntType(64).max) == (-(2**63), 2**63 - 1)
    assert IntType(64, False).max == 2**64 - 1


def test_values_of_a_wide_format_are_not_listed() -> None:
    assert len(IntType(16).values()) == 2**16
    with pytest.raises(ValueError, match=r"^int17 has too many values to list; 16 bits is the limit$"):
        IntType(17).values()


@pytest.mark.parametrize(
    "low, high, name",
    [(0, 3, "uint2"), (0, 0, "uint2"), (-1, 1, "int2"), (-2, 1, "int2"), (-3, 0, "int3"), (0, 256, "uint9")],
)
def test_the_narrowest_format_of_a_range(low: int, high: int, name: str) -> None:
    assert str(IntType.narrowest(low, high)) == name
