"""The coefficients: none is negative, and both families of LUTs describe the same circuits."""

from __future__ import annotations

import pytest

from hw.fpga.lut_coefficients import LUT4, LUT6


def test_both_kinds_of_luts_have_coefficients_of_the_same_terms() -> None:
    assert {kind: len(own) for kind, own in LUT4.items()} == {kind: len(own) for kind, own in LUT6.items()}


@pytest.mark.parametrize("coefficients", [LUT4, LUT6], ids=["LUT4", "LUT6"])
def test_no_part_takes_fewer_luts_than_none(coefficients: dict[str, tuple[float, ...]]) -> None:
    assert min(own for factors in coefficients.values() for own in factors) == 0


def test_luts_of_six_inputs_hold_more() -> None:
    """What is counters, multiplexers and sums takes more LUTs of four inputs, by its first term."""
    for kind in ("banks", "sequencer", "accumulators"):
        assert LUT6[kind][0] < LUT4[kind][0]
