"""All products, sums and encodings of 4-bit codes in gates, against rational arithmetic on their real values."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module

from hw.arithmetic.circuits.circuit import Circuit
from hw.arithmetic.circuits.multiplexed import FEW_DIGITS
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.mac import MacArray, MacArraySpec
from hw.arithmetic.multipliers import CIRCUITS, in_table
from hw.arithmetic.requantizer import Requantizer, requantize_latency
from hw.fpga.mapping import Multiplier
from models.ir.dtype import DType
from models.ir.formats.registry import parse_dtype
from models.ir.requant import Requant
from tests.support.clocked import clocked
from tests.support.rationals import nearest_code, real_values, requantized, unit

LANES = 16
"""A lane for each code of a weight."""
LIMIT = 2048
"""No sum of two products of 4 bits is beyond it."""


@dataclasses.dataclass(frozen=True)
class InLuts(MacArraySpec):
    """Out of one of the circuits for products in LUTs, whichever there would be."""

    in_luts: str = "rows"

    @property
    def circuit(self) -> Circuit:
        return CIRCUITS[self.in_luts]


def array(features: str, weights: str, kind: str, terms: int) -> MacArraySpec:
    """Of all weight codes; ``kind``: a multiplier, or a circuit in place of the one in LUTs."""
    operand = 27 if kind == Multiplier.PACKED else 0
    x, w = parse_dtype(features), parse_dtype(weights)
    if kind in CIRCUITS:
        return InLuts(LANES, terms, 1, x, w, Multiplier.LUT, channelwise=False, width=16, in_luts=kind)
    return MacArraySpec(LANES, terms, 1, x, w, Multiplier(kind), channelwise=False, width=16, operand=operand)


def play(spec: MacArraySpec, requantizer: Requantizer | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Every choice of codes of the terms, a step each: a lane has its number as its first weight.

    ``(codes, sums)``: int64 ``[steps, lanes, terms, 2]``, (feature, weight) of each term; ``[steps, lanes]``, the sums,
    or what the requantizer makes of them.
    """
    of_x, of_w = 1 << spec.features.width, 1 << spec.weights.width  # type: ignore[union-attr]
    steps = list(product(product(range(of_x), repeat=spec.terms), product(range(of_w), repeat=spec.terms - 1)))
    codes = np.array([[[*zip(xs, (lane, *ws), strict=True)] for lane in range(LANES)] for xs, ws in steps])
    array = MacArray(spec)
    top = Module()
    top.submodules.array = array
    latency = spec.latency
    if requantizer is not None:
        top.submodules.requantizer = requantizer
        top.d.comb += [getattr(requantizer, f"value{n}").eq(value) for n, value in enumerate(array.sums())]
        latency += requantize_latency(requantizer.dtype)

    def put(ctx: Any, step: int) -> None:
        ctx.set(array.mask, 1)
        ctx.set(array.first, 1)
        ctx.set(array.features, joined(codes[step, 0, :, 0], spec.features))
        ctx.set(array.weights, joined(codes[step, :, :, 1].ravel(), spec.weights))  # type: ignore[arg-type]

    def take(ctx: Any) -> list[int]:
        return lanes(ctx, requantizer) if requantizer else [ctx.get(value) for value in array.sums()]

    return codes, np.array(clocked(top, len(codes), latency, put, take))


def lanes(ctx: Any, requantizer: Requantizer) -> list[int]:
    word, bits = ctx.get(requantizer.codes), requantizer.dtype.width
    return [word >> n * bits & (1 << bits) - 1 for n in range(requantizer.lanes)]


def joined(codes: np.ndarray, dtype: DType) -> int:
    return sum(code << n * dtype.width for n, code in enumerate(codes.tolist()))


def real_sums(spec: MacArraySpec, codes: np.ndarray) -> tuple[np.ndarray, list[Fraction]]:
    """Of ``codes [..., terms, 2]`` which of the different real sums theirs is; those sums."""
    x, w = spec.features, spec.weights
    assert w is not None
    table = [[a * b for b in real_values(w)] for a in real_values(x)]
    products = sorted({value for row in table for value in row})
    place = np.array([[products.index(value) for value in row] for row in table])[codes[..., 0], codes[..., 1]]
    if spec.terms == 1:
        return place[..., 0], products
    sums = sorted({a + b for a in products for b in products})
    where = {value: n for n, value in enumerate(sums)}
    pairs = np.array([[where[a + b] for b in products] for a in products])
    return pairs[place[..., 0], place[..., 1]], sums


def one(spec: MacArraySpec) -> Fraction:
    """What 1 of a decoded sum is worth."""
    assert spec.weights is not None
    return unit(spec.features) * unit(spec.weights)


KINDS = ("table", "rows", "chosen", "shifted", "dsp", "packed")
"""Multipliers, and circuits in LUTs."""
TAPERED = ("dybit4", "udybit4")
MINUS_ZERO = {f"dybit{n}": 1 << n - 1 for n in range(2, 9)}
MIXED = [
    pair for pair in product(("dybit4", "udybit4", "int4", "uint4"), ("dybit4", "udybit4", "int4"))
    if any(name in TAPERED for name in pair)
]  # fmt: skip


def possible(features: str, weights: str, kind: str) -> bool:
    """There are few multiples to choose from where weights have few digits, and a table for signs and magnitudes."""
    x, w = parse_dtype(features), parse_dtype(weights)
    return in_table(x, w, 6) if kind == "table" else kind != "chosen" or codec(w).significand_bits[0] <= FEW_DIGITS


EVERY = [(*pair, kind) for pair in MIXED for kind in KINDS if possible(*pair, kind)]


@pytest.mark.few(12)
@pytest.mark.parametrize(("features", "weights", "kind"), EVERY)
def test_every_product(features: str, weights: str, kind: str) -> None:
    spec = array(features, weights, kind, 1)
    codes, got = play(spec)
    assert len(np.unique(codes.reshape(-1, 2), axis=0)) == 256
    place, sums = real_sums(spec, codes)
    assert got.tolist() == np.array([int(value / one(spec)) for value in sums])[place].tolist()


QUICK = [
    ("dybit4", "dybit4", "table"), ("udybit4", "dybit4", "shifted"), ("udybit4", "dybit4", "packed"),
    ("uint4", "dybit4", "chosen"), ("dybit4", "int4", "rows"),
]  # fmt: skip
SUMMED = [pytest.param(*each, marks=() if each in QUICK else pytest.mark.slow) for each in EVERY]


@pytest.mark.few(1)
@pytest.mark.parametrize(("features", "weights", "kind"), SUMMED)
def test_every_sum_of_two_products(features: str, weights: str, kind: str) -> None:
    spec = array(features, weights, kind, 2)
    codes, got = play(spec)
    assert len(np.unique(codes.reshape(-1, 4), axis=0)) == 1 << 16
    place, sums = real_sums(spec, codes)
    assert np.array_equal(got, np.array([int(value / one(spec)) for value in sums])[place])


WIDE = [
    ("udybit8", "dybit8", "lut"), ("uint8", "dybit8", "lut"), ("int8", "dybit5", "lut"), ("udybit8", "dybit4", "lut"),
    ("int8", "dybit3", "lut"), ("udybit7", "dybit6", "lut"), ("udybit5", "dybit2", "lut"), ("udybit8", "int8", "lut"),
    ("dybit8", "udybit8", "lut"), ("dybit6", "int5", "shifted"), ("udybit5", "dybit5", "packed"),
    ("udybit8", "dybit8", "dsp"),
]  # fmt: skip


@pytest.mark.few(4)
@pytest.mark.parametrize(("features", "weights", "kind"), WIDE)
def test_products_of_up_to_8_bits(features: str, weights: str, kind: str) -> None:
    """Every feature by drawn weights; the largest and the smallest of both in every lane."""
    spec, rng = dataclasses.replace(array(features, weights, kind, 1), width=40), np.random.default_rng(0)
    x, w = spec.features, spec.weights
    assert w is not None
    every = np.concatenate([np.arange(1 << x.width)] * 2)
    codes = rng.integers(0, 1 << w.width, (len(every), LANES))
    codes[: 1 << x.width : 3] = w.encode(np.array(w.max))
    codes[1 : 1 << x.width : 3] = w.encode(np.array(w.min))
    component = MacArray(spec)

    def put(ctx: Any, step: int) -> None:
        ctx.set(component.mask, 1)
        ctx.set(component.first, 1)
        ctx.set(component.features, int(every[step]))
        ctx.set(component.weights, joined(codes[step], w))

    top = Module()
    top.submodules.dut = component
    got = clocked(
        top, len(every), spec.latency, put, lambda ctx: [ctx.get(value) for value in component.sums()]
    )  # fmt: skip
    reals = [real_values(dtype) for dtype in (x, w)]
    products = [[int(a * b / one(spec)) for b in reals[1]] for a in reals[0]]
    assert np.array_equal(got, np.array(products)[every[:, None], codes])


def requant(dtype: DType, lanes: int, reach: int) -> Requant:
    """As export makes them: the largest sum of a lane is worth 1 to 4 times the largest value; biases, no ReLU.

    Biases of quarters of a unit.
    """
    rng, shift = np.random.default_rng(dtype.width), 20
    mult = np.rint(dtype.max / reach * 2.0**shift * rng.uniform(1, 4, lanes)).astype(np.int64)
    while mult.max() > 65535:
        mult, shift = mult >> 1, shift - 1
    return Requant(rng.integers(-reach // 2, reach // 2 + 1, lanes), mult, shift + 2, dtype.min, dtype.max, 2)


PATHS = [("udybit4", "dybit4"), ("udybit4", "udybit4"), *(
    pytest.param("dybit4", name, marks=pytest.mark.slow) for name in TAPERED
)]  # fmt: skip


@pytest.mark.whole
@pytest.mark.few(1)
@pytest.mark.parametrize(("features", "name"), PATHS)
def test_every_sum_of_two_products_to_its_code(features: str, name: str) -> None:
    """Product, sum, requantize and encode in a row; what has no sign is clipped at 0."""
    dtype = parse_dtype(name)
    spec = array(features, "dybit4", "lut", 2)
    constants = requant(dtype, LANES, LIMIT)
    codes, got = play(spec, Requantizer(constants, dtype, LANES, (-LIMIT, LIMIT)))
    place, sums = real_sums(spec, codes)
    want = [
        [nearest_code(requantized(value, constants, lane, one(spec)), dtype) for value in sums] for lane in range(LANES)
    ]
    assert np.array_equal(got, np.array(want)[np.arange(LANES), place])


@pytest.mark.few(2)
@pytest.mark.parametrize("name", ["dybit2", "dybit3", "dybit4", "udybit2", "udybit3", "udybit4"])
def test_every_integer_to_its_code(name: str) -> None:
    """All that a sum of two products of 4 bits could be, in three lanes with constants of their own."""
    dtype = parse_dtype(name)
    constants = requant(dtype, 3, LIMIT)
    component = Requantizer(constants, dtype, 3, (-LIMIT, LIMIT))
    values = range(-LIMIT, LIMIT + 1)

    def put(ctx: Any, step: int) -> None:
        for lane in range(3):
            ctx.set(getattr(component, f"value{lane}"), values[step])

    top = Module()
    top.submodules.dut = component
    got = clocked(top, len(values), requantize_latency(dtype), put, lambda ctx: lanes(ctx, component))
    want = [
        [nearest_code(requantized(Fraction(value), constants, lane, Fraction(1)), dtype) for lane in range(3)]
        for value in values
    ]
    assert got == want
    assert {code for row in got for code in row} == set(range(1 << dtype.width)) - {MINUS_ZERO.get(name)}
