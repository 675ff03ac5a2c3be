"""Several products in one multiplication, against Python's integers."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.back import verilog

from hw.arithmetic.mac import MacArray, MacArraySpec
from hw.arithmetic.packing import field_width, operand_width, packing
from hw.fpga.families.registry import DEVICES, family
from hw.fpga.formulas import total
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.resources import arrays
from hw.tools.yosys import synthesize
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from tests.support.clocked import clocked

WIDE = {"xcup": 27, "xc7": 25, "ecp5": 18, "ice40": 16}


def sums(features: str, weights: str, operand: int, *, pe: int, terms: int) -> MacArraySpec:
    x, w = parse_dtype(features), parse_dtype(weights)
    return MacArraySpec(pe, terms, 1, x, w, Multiplier.PACKED, channelwise=False, width=40, operand=operand)


def word(codes: np.ndarray, bits: int) -> int:
    return sum(int(code) << n * bits for n, code in enumerate(codes.ravel()))


def check(spec: MacArraySpec, features: np.ndarray, weights: np.ndarray) -> None:
    """``features`` [steps, terms] and ``weights`` [steps, pe, terms], codes: every lane's running sum is exact.

    A new sum begins at every fourth step.
    """
    assert spec.weights is not None
    x, w = spec.features.decode(features), spec.weights.decode(weights)
    lanes = (x[:, None, :] * w).sum(axis=2)
    array, weight_bits = MacArray(spec), spec.weights.width

    def put(ctx: Any, step: int) -> None:
        ctx.set(array.mask, 1)
        ctx.set(array.features, word(features[step], spec.features.width))
        ctx.set(array.weights, word(weights[step], weight_bits))
        ctx.set(array.first, step % 4 == 0)

    got = clocked(array, len(features), spec.latency, put, lambda ctx: [ctx.get(value) for value in array.sums()])
    want = [lanes[step - step % 4 : step + 1].sum(axis=0) for step in range(len(features))]
    assert np.array_equal(np.array(got), np.array(want))


def extremes(dtype: DType) -> np.ndarray:
    """Codes of the values at which sums are largest and signs change."""
    return dtype.encode(np.array([v for v in (dtype.min, dtype.min + 1, -1, 0, 1, dtype.max) if v >= dtype.min]))


@pytest.mark.parametrize("family", WIDE)
@pytest.mark.parametrize("features", ["int4", "uint4"])
def test_every_pair_of_4_bit_weights(features: str, family: str) -> None:
    spec = sums(features, "int4", WIDE[family], pe=2, terms=1)
    rows = np.array(list(product(range(16), repeat=3)))
    check(spec, rows[:, :1], rows[:, 1:, None])


@pytest.mark.parametrize("features", ["int4", "uint4"])
def test_every_triple_of_4_bit_weights(features: str) -> None:
    """Of the largest, the smallest and random features."""
    spec = sums(features, "int4", 27, pe=3, terms=1)
    assert spec.packing is not None
    assert spec.packing.fields == 3
    weights = np.array(list(product(range(16), repeat=3)))
    some = np.random.default_rng(0).integers(0, 16, len(weights))
    for feature in (np.full(len(weights), 7), np.full(len(weights), 8), np.full(len(weights), 15), some):
        check(spec, feature[:, None], weights[:, :, None])


FORMATS = ["int8", "uint8", "int4", "udybit4", "dybit5"]


@pytest.mark.few(3)
@pytest.mark.parametrize("family", WIDE)
@pytest.mark.parametrize("weights", ["int8", "int4", "dybit4", "int3", "dybit6"])
def test_sums_of_extremes_and_of_random_values(weights: str, family: str) -> None:
    rng = np.random.default_rng(len(weights) + WIDE[family])
    for features in FORMATS:
        for terms in (1, 5, 9):
            x, w = parse_dtype(features), parse_dtype(weights)
            pe = int(rng.integers(2, 6))
            if packing(x, w, pe, terms, WIDE[family]) is None:
                continue
            edge_x, edge_w, steps = extremes(x), extremes(w), 40
            some = rng.choice(edge_x, (steps, terms)), rng.choice(edge_w, (steps, pe, terms))
            every = rng.integers(0, 1 << x.width, (steps, terms)), rng.integers(0, 1 << w.width, (steps, pe, terms))
            # all terms at once as large as they can be, of one sign and of the other
            most = np.full((8, terms), x.encode(x.min if x.signed else x.max)), np.full((8, pe, terms), w.encode(w.min))
            least = np.full((8, terms), x.encode(x.max)), np.full((8, pe, terms), w.encode(w.max))
            low = np.full((8, terms), x.encode(x.max)), np.full((8, pe, terms), w.encode(w.min))
            parts = zip(some, every, most, least, low, strict=True)
            both = [np.concatenate(part) for part in parts]
            check(sums(features, weights, WIDE[family], pe=pe, terms=terms), both[0], both[1])


@pytest.mark.slow
@pytest.mark.parametrize("features", ["int8", "uint8"])
def test_8_bit_weights_densely(features: str) -> None:
    """Four terms fill the field of a DSP48E2 to its last value but one."""
    rng = np.random.default_rng(8)
    for operand, terms in ((27, 4), (27, 1), (25, 1)):
        spec = sums(features, "int8", operand, pe=2, terms=terms)
        check(spec, rng.integers(0, 256, (20_000, terms)), rng.integers(0, 256, (20_000, 2, terms)))


def test_fields_hold_every_sum_and_operands_fit() -> None:
    """By trying the largest products themselves."""
    kinds = [IntType(n, signed) for n in range(2, 9) for signed in (False, True)]
    kinds += [DyBitType(n, signed) for n in range(2, 9) for signed in (False, True)]  # type: ignore[misc]
    for x, w in product(kinds, kinds):
        for operand in WIDE.values():
            for pe, terms in ((2, 1), (3, 4), (4, 9), (5, 100)):
                found = packing(x, w, pe, terms, operand)
                if found is None:
                    assert operand_width(w, 2, field_width(x, w, 1)) > operand
                    continue
                ends = [a * b for a in (x.min, x.max) for b in (w.min, w.max)]
                assert found.summed * max(ends) < 1 << found.bits - 1
                assert found.summed * min(ends) > -(1 << found.bits - 1)
                largest = [sum(v << found.bits * n for n in range(found.fields)) for v in (w.min, w.max)]
                assert -(1 << operand - 1) <= largest[0]
                assert largest[1] < 1 << operand - 1
                assert [lane for group in found.groups(pe) for lane in group] == list(range(pe))


# How many weights share a multiplication, and how many products are added before they part, of many lanes and 64 terms.
KNOWN = [
    ("xcup", "int8", "int8", 2, 4), ("xcup", "uint8", "int8", 2, 4), ("xc7", "uint8", "int8", 2, 1),
    ("xcup", "int4", "int4", 3, 4), ("xcup", "uint4", "int4", 3, 4), ("xcup", "uint8", "int4", 2, 64),
    ("ecp5", "uint4", "int4", 2, 16), ("ice40", "uint4", "int4", 2, 4), ("ecp5", "uint8", "int8", 0, 0),
    ("xcup", "udybit4", "dybit4", 2, 64), ("ecp5", "udybit4", "dybit4", 2, 1),
]  # fmt: skip


@pytest.mark.parametrize(("family", "features", "weights", "fields", "summed"), KNOWN)
def test_what_fits(family: str, features: str, weights: str, fields: int, summed: int) -> None:
    found = packing(parse_dtype(features), parse_dtype(weights), 60, 64, WIDE[family])
    assert (fields, summed) == ((found.fields, found.summed) if found else (0, 0))


def test_lanes_are_shared_out_evenly() -> None:
    """Four lanes of which three would fit are two and two."""
    found = packing(IntType(4), IntType(4), 4, 1, 27)
    assert found is not None
    assert found.groups(4) == [range(2), range(2, 4)]


# DSP blocks of three lanes of two terms, which would be six. The third lane of iCE40 is too small for one.
BLOCKS = [
    ("zu3eg", "uint8", "int8", 4), ("ecp5-25k", "uint4", "int4", 4), ("ecp5-25k", "uint4", "int3", 2),
    pytest.param("zu3eg", "uint8", "int4", 4, marks=pytest.mark.slow),
    pytest.param("zu3eg", "uint4", "int4", 2, marks=pytest.mark.slow),
    pytest.param("z7020", "uint8", "int8", 4, marks=pytest.mark.slow),
    pytest.param("ice40up5k", "uint4", "int4", 2, marks=pytest.mark.slow),
]  # fmt: skip


@pytest.mark.whole
@pytest.mark.few(1)
@pytest.mark.parametrize(("name", "features", "weights", "blocks"), BLOCKS)
def test_yosys_makes_one_dsp_block_of_what_is_shared(
    name: str, features: str, weights: str, blocks: int, tmp_path: Path
) -> None:
    device = DEVICES[name]
    spec = sums(features, weights, max(device.dsp_widths), pe=3, terms=2)
    source = tmp_path / "array.v"
    source.write_text(verilog.convert(MacArray(spec), name="netweave", emit_src=False, strip_internal_attrs=True))
    made = synthesize(source, device.synth, log=tmp_path / "yosys.log").resources
    said = total(family(device), arrays.sums(family(device), spec, 1000, spec.weight_bits, Memory.BRAM, masked=False))
    assert (made.dsp, said.dsp) == (blocks, blocks)
    if device.family in ("xcup", "ecp5"):
        assert made.ff == pytest.approx(said.ff, rel=0.08)
        assert made.lut == pytest.approx(said.lut, rel=0.2)


@pytest.mark.parametrize(
    ("kind", "operand", "valid"), [("packed", 0, "such as 27"), ("dsp", 18, "0 where"), ("packed", -1, "such as 27")]
)
def test_an_operand_that_makes_no_sense_is_named(kind: str, operand: int, valid: str) -> None:
    with pytest.raises(ValueError, match=rf"operand must be .*{valid}.*, not {operand}"):
        OpMapping(2, 1, multiplier=Multiplier(kind), operand=operand)
