"""Floats of a few bits against the published tables."""

from __future__ import annotations

from models.ir.formats.registry import parse_dtype


def test_the_published_floats_of_four_and_six_bits() -> None:
    """OCP's tables of e2m1 and e2m3: every magnitude."""
    assert (parse_dtype("fp4").values()[7:] / 2).tolist() == [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    six = parse_dtype("fp6").values()[31:] / 8
    assert (six[1], six[7], six[8], six[-1]) == (0.125, 0.875, 1, 7.5)
    assert len(six) == 32


def test_an_unsigned_one_has_a_bit_more_of_mantissa() -> None:
    """ufp4 is e2m2 without a sign: four subnormal magnitudes, then four in each of three octaves."""
    assert parse_dtype("ufp4").values().tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28]
    assert parse_dtype("ufp4").values().tolist() == parse_dtype("fp5").values()[15:].tolist()
