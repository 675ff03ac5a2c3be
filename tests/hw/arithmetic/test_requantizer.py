# amaranth: UnusedElaboratable=no
"""Requantize lanes against golden."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw.arithmetic.requantizer import Requantizer, requantize_latency
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.requant import BIAS_BITS, MAX_FRACTION, MAX_SHIFT, MULT_BITS, Requant
from tests.support.clocked import clocked

FORMATS = [
    "int8",
    "uint8",
    "int4",
    "uint4",
    "int16",
    "int2",
    "dybit8",
    "udybit8",
    "dybit4",
    "udybit4",
    "dybit2",
    "udybit2",
]
BIAS_LIMIT, MULT_LIMIT = 1 << BIAS_BITS - 1, (1 << MULT_BITS) - 1


def play(component: Requantizer, values: np.ndarray) -> np.ndarray:
    """int64 ``[tokens, channels]`` through the lanes, a beat a cycle; what comes out ``latency`` cycles later."""
    tokens, channels = values.shape
    beats = values.reshape(-1, component.lanes).tolist()
    latency = requantize_latency(component.dtype) - (not component.encoded and isinstance(component.dtype, DyBitType))

    def put(ctx: Any, beat: int) -> None:
        ctx.set(component.index, beat % component.beats)
        for lane, value in enumerate(beats[beat]):
            ctx.set(getattr(component, f"value{lane}"), value)

    def take(ctx: Any) -> list[int]:
        if not component.encoded:
            return [ctx.get(getattr(component, f"integer{n}")) for n in range(component.lanes)]
        word, width = ctx.get(component.codes), component.dtype.width
        return [word >> n * width & (1 << width) - 1 for n in range(component.lanes)]

    return np.array(clocked(component, len(beats), latency, put, take)).reshape(tokens, channels)


def check(
    requant: Requant, dtype: DType, lanes: int, values: np.ndarray, bounds: tuple[int, int] | None = None
) -> None:
    bounds = bounds or (int(values.min()), int(values.max()))
    exact = requant.integer(values.astype(object)).astype(np.int64)
    got = play(Requantizer(requant, dtype, lanes, bounds), values)
    assert np.array_equal(dtype.decode(got), requant.to_dtype(values.astype(object), dtype))
    got = play(Requantizer(requant, dtype, lanes, bounds, encoded=False), values)
    assert np.array_equal(got, exact)


def random_requant(
    rng: np.random.Generator, channels: int, shift: int, lo: int, hi: int, spread: int, fraction: int = 0
) -> Requant:
    """Constants that bring sums up to ``spread`` to the size of ``hi`` where the multiplier's bits allow it."""
    top = int(np.clip(2 * (hi << shift) // max(spread << fraction, 1), 1, MULT_LIMIT))
    mult = rng.integers(max(1, top // 4), top + 1, channels)
    bias = rng.integers((-spread // 4 - 1) << fraction, (spread // 4 + 2) << fraction, channels)
    return Requant(bias, mult, shift, lo, hi, fraction)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("shift", [0, 1, 13, MAX_SHIFT])
def test_equals_golden(name: str, shift: int) -> None:
    dtype = parse_dtype(name)
    rng = np.random.default_rng(shift)
    spread = 1 << int(rng.integers(4, 24))
    requant = random_requant(rng, 6, shift, 0 if shift == 13 else dtype.min, dtype.max, spread)
    values = rng.integers(-spread, spread + 1, (40, 6))
    check(requant, dtype, (1, 2, 3, 6)[int(rng.integers(4))], values)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("fraction", [1, 3, MAX_FRACTION])
def test_biases_have_a_fraction(name: str, fraction: int) -> None:
    """Sums of few units, so that the bias's fraction decides; and biases of nothing but a fraction."""
    dtype = parse_dtype(name)
    rng = np.random.default_rng(fraction)
    values = rng.integers(-40, 41, (40, 6))
    requant = random_requant(rng, 6, 12 + fraction, dtype.min, dtype.max, 40, fraction)
    check(requant, dtype, 3, values)
    least = dataclasses.replace(requant, bias=rng.integers(-1, 2, 6))
    check(least, dtype, 1, values)


@pytest.mark.parametrize("shift", range(MAX_SHIFT + 1))
def test_every_shift_rounds_as_golden(shift: int) -> None:
    """Sums around the boundaries between two results, where rounding decides."""
    dtype, rng = IntType(8), np.random.default_rng(shift)
    mult = max(1, min(MULT_LIMIT, 3 << max(0, shift - 12)))
    results = rng.integers(-130, 130, 30)
    edges = ((2 * results + 1) << shift) // (2 * mult)
    values = (edges[:, None] + np.arange(-1, 2)).reshape(-1, 1)
    check(Requant(np.array([0]), np.array([mult]), shift, -128, 127), dtype, 1, values)


@pytest.mark.parametrize("name", ["dybit8", "udybit8", "dybit5", "udybit4", "udybit3"])
def test_ties_of_a_tapered_format_go_away_from_zero(name: str) -> None:
    dtype = parse_dtype(name)
    table = dtype.values()
    ties = (table[:-1] + table[1:]) // 2
    values = np.clip((ties[:, None] + np.arange(-1, 2)).reshape(-1, 1), dtype.min, dtype.max)
    check(Requant.identity(1, dtype.min, dtype.max), dtype, 1, values)


@pytest.mark.few(9)
@pytest.mark.parametrize("name", ["int8", "uint8", "dybit4", "udybit8"])
@pytest.mark.parametrize("bias", [-BIAS_LIMIT, BIAS_LIMIT - 1, 0])
@pytest.mark.parametrize("mult", [0, 1, MULT_LIMIT])
def test_extreme_constants(name: str, bias: int, mult: int) -> None:
    """The products reach their widest; beside each extreme channel stands a small one."""
    dtype = parse_dtype(name)
    bounds = (-(1 << 29), (1 << 29) - 1)
    values = np.array([[v, v] for v in (*bounds, -1, 0, 1, -bias % (1 << 29), 12345)])
    for shift in (0, 17, MAX_SHIFT):
        requant = Requant(np.array([bias, 1]), np.array([mult, MULT_LIMIT]), shift, dtype.min, dtype.max)
        check(requant, dtype, 1, values, bounds)
        check(requant, dtype, 2, values, bounds)


@pytest.mark.parametrize(("lo", "hi"), [(0, 0), (-1, 0), (0, 1), (3, 9), (-9, -3), (-128, 127), (7, 7)])
def test_clips_anywhere_inside_the_format(lo: int, hi: int) -> None:
    values = np.arange(-140, 140)[:, None]
    for dtype in (IntType(8), DyBitType(8)):
        check(Requant.identity(1, lo, hi), dtype, 1, values)


def test_channels_with_equal_constants_share_them() -> None:
    """Beats whose constants repeat need no memory; beats that differ in a single channel do."""
    rng = np.random.default_rng(5)
    bias = np.array([7, -3, 7, -3, 7, -3])
    for last in (-3, 4):
        bias[-1] = last
        requant = Requant(bias.copy(), np.array([3, 5] * 3), 2, -128, 127)
        check(requant, IntType(8), 2, rng.integers(-300, 300, (20, 6)))


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_constants_equal_golden(data: st.DataObject) -> None:
    dtype = parse_dtype(data.draw(st.sampled_from(FORMATS)))
    lanes = data.draw(st.sampled_from([1, 2, 4]))
    lo = data.draw(st.integers(dtype.min, dtype.max))
    hi = data.draw(st.integers(lo, dtype.max))
    constants = st.tuples(st.integers(-BIAS_LIMIT, BIAS_LIMIT - 1) | st.integers(-99, 99), st.integers(0, MULT_LIMIT))
    bias, mult = zip(*data.draw(st.lists(constants, min_size=4, max_size=4)), strict=True)
    shift, fraction = data.draw(st.integers(0, MAX_SHIFT)), data.draw(st.integers(0, 5))
    requant = Requant(np.array(bias), np.array(mult), shift, lo, hi, fraction)
    sums = st.integers(-(1 << 30), (1 << 30) - 1) | st.integers(-300, 300)
    values = data.draw(st.lists(st.lists(sums, min_size=4, max_size=4), min_size=1, max_size=5))
    check(requant, dtype, lanes, np.array(values))
