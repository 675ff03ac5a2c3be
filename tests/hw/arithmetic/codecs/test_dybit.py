"""DyBit in gates against its definition, read in exact rationals."""

from __future__ import annotations

import pytest
from amaranth.hdl import Const, Module, Signal, signed

from hw.arithmetic.codecs.dybit import DyBitCodec
from models.ir.formats.dybit import DyBitType
from tests.support.gates import evaluate
from tests.support.rationals import real_values, unit

FORMATS = [DyBitType(width, is_signed) for width in (2, 3, 4, 6) for is_signed in (False, True)]


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_every_code_is_a_significand_that_is_shifted_and_negated(dtype: DyBitType) -> None:
    codec = DyBitCodec(dtype)
    m, code = Module(), Signal(dtype.width)
    decoded, significand, shift, negative = (
        Signal(signed(16), name=name) for name in ("value", "digits", "by", "sign")
    )
    split = codec.significand(m, code, "code")
    m.d.comb += [
        decoded.eq(codec.decode(m, code, "whole")),
        significand.eq(split.significand),
        shift.eq(Const(0) if split.shift is None else split.shift),
        negative.eq(Const(0) if split.negative is None else split.negative),
    ]
    bits, shift_bits = codec.significand_bits
    assert len(split.significand) <= bits < codec.signed_digits
    assert shift_bits == (0 if split.shift is None else len(split.shift))
    rows = evaluate(m, [code], [decoded, significand, shift, negative], [(c,) for c in range(1 << dtype.width)])
    for (value, digits, places, sign), real in zip(rows, real_values(dtype), strict=True):
        assert value == real / unit(dtype)
        assert value == (-1) ** sign * (digits << places)
        assert codec.shift(value) == (0 if split.shift is None else places)


@pytest.mark.parametrize(("value", "shift"), [(0, 0), (63, 0), (64, 1), (126, 1), (192, 2), (256, 3), (4096, 7)])
def test_a_shift_is_the_number_of_leading_ones(value: int, shift: int) -> None:
    """Of signed 8-bit DyBit in steps of 1/64: 1 is 64, 3 is 192, 4 is 256, and the largest, 64, is 4096."""
    codec = DyBitCodec(DyBitType(8))
    assert codec.shift(value) == codec.shift(-value) == shift


def test_signed_formats_of_few_bits_are_decoded_by_a_table() -> None:
    assert [width for width in range(2, 9) if DyBitCodec(DyBitType(width)).by_table] == [2, 3, 4, 5]
    assert not any(DyBitCodec(DyBitType(width, signed=False)).by_table for width in range(2, 9))
    # of 4 bits a table has one LUT for each of the 6 bits of -16 to 16
    assert DyBitCodec(DyBitType(4)).decoder_luts(4) == 6
