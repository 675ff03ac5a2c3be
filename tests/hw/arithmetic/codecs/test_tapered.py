"""Tapered formats in gates: runs of their magnitudes worked out by hand, significands, and LUTs of small tables."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.hdl import Const, Module, Signal, signed

from hw.arithmetic.codecs.tapered import Run, TaperedCodec, table_luts
from models.ir.formats.registry import parse_dtype
from models.ir.formats.tapered import TaperedType
from tests.support.gates import evaluate
from tests.support.rationals import real_values, unit

RUNS = {
    "fp4": [Run(0, 0, 0), Run(4, 4, 1), Run(6, 8, 2)],  # 0, 1, 2, 3, 4, 6, 8, 12 in steps of a half
    "pot3": [Run(0, 0, 0), Run(2, 2, 1)],  # 0, 1, 2, 4
    "dybit3": [Run(0, 0, 0), Run(2, 2, 1)],  # 0, 1, 2, 4 in steps of a half
    "udybit3": [Run(0, 0, 0), Run(4, 4, 1), Run(6, 8, 3)],  # 0, 1, 2, 3, 4, 6, 8, 16 in steps of a quarter
}


def codec(name: str) -> TaperedCodec:
    dtype = parse_dtype(name)
    assert isinstance(dtype, TaperedType)
    return TaperedCodec(dtype)


@pytest.mark.parametrize("name", RUNS)
def test_runs_worked_out_by_hand(name: str) -> None:
    assert codec(name).runs == RUNS[name]


@pytest.mark.parametrize("name", ["fp4", "ufp4", "fp5", "pot3", "upot3", "pot4", "dybit4", "udybit3"])
def test_every_code_is_a_significand_that_is_shifted_and_negated(name: str) -> None:
    own = codec(name)
    dtype = own.dtype
    m, code = Module(), Signal(dtype.width)
    significand, shift, negative = (Signal(signed(16), name=part) for part in ("digits", "by", "sign"))
    split = own.significand(m, code, "code")
    m.d.comb += [
        significand.eq(split.significand),
        shift.eq(Const(0) if split.shift is None else split.shift),
        negative.eq(Const(0) if split.negative is None else split.negative),
    ]
    assert (len(split.significand), 0 if split.shift is None else len(split.shift)) == own.significand_bits
    assert own.significand_bits[0] < own.signed_digits
    rows = evaluate(m, [code], [significand, shift, negative], [(c,) for c in range(1 << dtype.width)])
    for (digits, places, sign), real in zip(rows, real_values(dtype), strict=True):
        assert (-1) ** sign * (digits << places) == real / unit(dtype)
        assert own.shift(int(real / unit(dtype))) == places


TABLES = [
    ([0, 1, 2, 3], 2, 4, 0.0),  # wires
    ([5] * 8, 3, 4, 0.0),  # constants
    ([0, 1, 1, 0], 1, 4, 1.0),  # an exclusive or
    ([n.bit_count() & 1 for n in range(64)], 1, 6, 1.0),
    ([n.bit_count() & 1 for n in range(64)], 1, 4, 3.0),  # as many as for 4 inputs, four times, less a quarter
    ([n & 1 | (n.bit_count() & 1) << 1 for n in range(8)], 2, 4, 1.0),  # a wire, and a parity of three
]


@pytest.mark.parametrize(("table", "bits", "lut_inputs", "luts"), TABLES)
def test_luts_of_a_table(table: list[int], bits: int, lut_inputs: int, luts: float) -> None:
    assert table_luts(np.array(table), bits, lut_inputs) == luts
