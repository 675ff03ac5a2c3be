"""Adders in gates against Python's integers, and how many registers and carries their trees take."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed

from hw.arithmetic.adders import add, add_tree, tree_stages
from tests.support.clocked import clocked
from tests.support.gates import evaluate


@pytest.mark.parametrize(
    ("terms", "stages"), [(1, 0), (2, 1), (4, 1), (5, 2), (16, 2), (17, 3), (64, 3), (65, 4), (256, 4)]
)
def test_a_stage_adds_four_terms(terms: int, stages: int) -> None:
    assert tree_stages(terms) == stages


@pytest.mark.parametrize(("a_bits", "b_bits"), [(3, 3), (4, 2), (1, 4)])
def test_every_sum_of_two_numbers_and_a_carry(a_bits: int, b_bits: int) -> None:
    m, a, b, carry = Module(), Signal(signed(a_bits)), Signal(signed(b_bits)), Signal()
    without, total = Signal(signed(8)), Signal(signed(8))
    m.d.comb += [without.eq(add(a, b, None)), total.eq(add(a, b, carry))]
    sides = (range(-(1 << bits) // 2, (1 << bits) // 2) for bits in (a_bits, b_bits))
    rows = list(product(*sides, (0, 1)))
    assert evaluate(m, [a, b, carry], [without, total], rows) == [(x + y, x + y + c) for x, y, c in rows]


@pytest.mark.parametrize(
    ("terms", "carries", "stages"),
    [(1, 0, 0), (1, 2, 0), (1, 1, 2), (2, 1, 0), (3, 3, 0), (4, 2, 3), (5, 5, 0), (7, 1, 0), (16, 15, 0), (17, 18, 0)],
)
def test_a_tree_adds_every_term_and_a_carry_in_each_adder(terms: int, carries: int, stages: int) -> None:
    """Of ``terms - 1`` adders each takes a carry; the sum and the carries that remain come in the same cycle."""
    m = Module()
    numbers = [Signal(signed(4 + n % 3), name=f"term{n}") for n in range(terms)]
    bits = [Signal(name=f"bit{n}") for n in range(carries)]
    total, remaining = add_tree(m, numbers, "tree", bits, stages)
    assert len(remaining) == max(0, carries - (terms - 1))
    rng = np.random.default_rng(terms)
    steps = 12
    values = np.stack([rng.integers(-(8 << n % 3), 8 << n % 3, steps) for n in range(terms)])
    values[:, 0] = [-(8 << n % 3) for n in range(terms)]
    added = rng.integers(0, 2, (carries, steps))

    def put(ctx: Any, step: int) -> None:
        for signal, value in zip([*numbers, *bits], [*values[:, step], *added[:, step]], strict=True):
            ctx.set(signal, int(value))

    latency = max(stages, tree_stages(terms))
    sums = clocked(m, steps, latency, put, lambda ctx: ctx.get(total) + sum(ctx.get(bit) for bit in remaining))
    assert sums == (values.sum(axis=0) + added.sum(axis=0)).tolist()
