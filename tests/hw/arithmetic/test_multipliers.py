"""Which multipliers a device offers for two formats, and which circuit multiplies them in LUTs."""

from __future__ import annotations

import dataclasses

import pytest

from hw.arithmetic.circuits.booth import BOOTH
from hw.arithmetic.circuits.circuit import Circuit
from hw.arithmetic.circuits.multiplexed import MULTIPLEXED
from hw.arithmetic.circuits.significand_shift import SIGNIFICAND_SHIFT
from hw.arithmetic.multipliers import in_luts, multipliers
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Multiplier
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype


def test_kinds_of_a_device() -> None:
    """A table of products takes fewer LUTs of 6 inputs than adders, and more of 4."""
    x, w = parse_dtype("udybit4"), parse_dtype("dybit4")
    assert [kind for kind, _ in multipliers(DEVICES["zu3eg"], x, w, 1)] == [Multiplier.TABLE, Multiplier.DSP]
    assert [kind for kind, _ in multipliers(DEVICES["ecp5-25k"], x, w, 1)] == [Multiplier.LUT, Multiplier.DSP]
    int8 = IntType(8)
    assert multipliers(DEVICES["zu3eg"], int8, int8, 2)[-1] == (Multiplier.PACKED, 27)
    assert multipliers(DEVICES["z7020"], int8, int8, 2)[-1] == (Multiplier.PACKED, 25)
    assert [kind for kind, _ in multipliers(DEVICES["zu3eg"], int8, int8, 1)] == [Multiplier.LUT, Multiplier.DSP]
    assert [kind for kind, _ in multipliers(DEVICES["ecp5-25k"], int8, int8, 4)] == [Multiplier.LUT, Multiplier.DSP]


def test_a_device_without_dsp_blocks_has_one_kind() -> None:
    bare = dataclasses.replace(DEVICES["zu3eg"], dsp=0)
    assert multipliers(bare, IntType(8), IntType(8), 2) == [(Multiplier.LUT, 0)]


@pytest.mark.parametrize(
    ("features", "weights", "circuit"),
    [
        ("udybit4", "dybit4", MULTIPLEXED),
        ("uint8", "dybit4", MULTIPLEXED),
        ("udybit8", "dybit2", MULTIPLEXED),
        ("udybit4", "dybit5", SIGNIFICAND_SHIFT),
        ("int8", "dybit8", SIGNIFICAND_SHIFT),
        ("udybit8", "int8", BOOTH),
        ("uint4", "int4", BOOTH),
    ],
)
def test_circuits_of_products_in_luts(features: str, weights: str, circuit: Circuit) -> None:
    assert in_luts(parse_dtype(features), parse_dtype(weights)) == circuit
