"""The lane of several precisions, against golden's decoded integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hw.arithmetic.fused import FusedMac, Mode
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from tests.support.clocked import clocked

KINDS = [(IntType, False), (IntType, True), (DyBitType, False), (DyBitType, True)]


def play(lane: FusedMac, features: np.ndarray, weights: np.ndarray, modes: np.ndarray, first: np.ndarray) -> list[int]:
    """The sum after each word."""

    def put(ctx: Any, step: int) -> None:
        ctx.set(lane.features, int(features[step]))
        ctx.set(lane.weights, int(weights[step]))
        ctx.set(lane.mode, int(modes[step]))
        ctx.set(lane.first, int(first[step]))

    return clocked(lane, len(features), lane.latency, put, lambda ctx: ctx.get(lane.sum))


def products(lane: FusedMac, features: np.ndarray, weights: np.ndarray, mode: Mode) -> np.ndarray:
    """Of each word, those of its codes added up."""
    width, total = mode.width, 0
    for n in range(mode.codes):
        a, b = ((words >> n * width) & ((1 << width) - 1) for words in (features, weights))
        total = total + lane.features_of[mode].decode(a) * lane.weights_of[mode].decode(b)
    return np.asarray(total)


def check(lane: FusedMac, features: np.ndarray, weights: np.ndarray, modes: np.ndarray, first: np.ndarray) -> None:
    each = np.choose(modes, [products(lane, features, weights, mode) for mode in Mode])
    sums, total = [], 0
    for value, begins in zip(each.tolist(), first.tolist(), strict=True):
        total = value if begins else total + value
        sums.append(total)
    assert play(lane, features, weights, modes, first) == sums


@pytest.mark.parametrize(("kind", "is_signed"), KINDS)
def test_modes_change_from_sum_to_sum(kind: type[DType], is_signed: bool) -> None:
    """Words of extremes and random ones; sums of one to some words, each of one mode."""
    rng = np.random.default_rng(0)
    lane = FusedMac(kind, is_signed, 40)
    words = np.array([0x00, 0xFF, 0x80, 0x7F, 0x88, 0xAA, 0x55, 0x77, 0x11])
    first = rng.random(4000) < 0.4
    first[0] = True
    modes = rng.integers(0, 3, len(first))[np.cumsum(first) - 1]
    features, weights = (
        np.where(rng.random(len(first)) < 0.3, rng.choice(words, len(first)), rng.integers(0, 256, len(first)))
        for _ in range(2)
    )
    check(lane, features, weights, modes, first)


@pytest.mark.parametrize("mode", [Mode.FOUR, Mode.TWO])
@pytest.mark.parametrize(("kind", "is_signed"), KINDS)
def test_every_product_of_few_bits(kind: type[DType], is_signed: bool, mode: Mode) -> None:
    """Every pair of codes in every place of the words, beside random ones."""
    rng, lane = np.random.default_rng(1), FusedMac(kind, is_signed, 24)
    width, codes = mode.width, 1 << mode.width
    a, b, place = (part.ravel() for part in np.meshgrid(range(codes), range(codes), range(mode.codes)))
    rest = [rng.integers(0, 256, len(a)) & ~((codes - 1) << place * width) for _ in range(2)]
    features, weights = (other | code << place * width for other, code in zip(rest, (a, b), strict=True))
    check(lane, features, weights, np.full(len(a), mode), np.ones(len(a), dtype=bool))


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(("kind", "is_signed"), KINDS)
def test_every_two_words(kind: type[DType], is_signed: bool, mode: Mode) -> None:
    features, weights = (part.ravel() for part in np.meshgrid(range(256), range(256)))
    lane = FusedMac(kind, is_signed, 32)
    check(lane, features, weights, np.full(len(features), mode), np.ones(len(features), dtype=bool))
