"""Codes in gates against the formats' own tables, exhaustively."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Module, Signal, signed
from amaranth.sim import Simulator

from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.products import booth_product, table_inputs
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import FORMATS as KINDS

FORMATS = [kind(width, is_signed) for kind in KINDS.values() for width in kind.widths for is_signed in (False, True)]


def evaluate(
    m: Module, inputs: list[Signal], outputs: list[Signal], rows: list[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """The outputs of combinational logic for each row of inputs."""
    got: list[tuple[int, ...]] = []

    async def bench(ctx: Any) -> None:
        for row in rows:
            for signal, value in zip(inputs, row, strict=True):
                ctx.set(signal, value)
            got.append(tuple(ctx.get(signal) for signal in outputs))

    m.domains.sync = ClockDomain()
    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    return got


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_decode_and_order_of_every_code(dtype: DType) -> None:
    m, code = Module(), Signal(dtype.width)
    value = Signal(signed(40))
    key, back = Signal(dtype.width), Signal(dtype.width)
    decoded = codec(dtype).decode(m, code, "code")
    m.d.comb += [value.eq(decoded), key.eq(codec(dtype).sort_key(code)), back.eq(codec(dtype).from_sort_key(key))]
    assert len(decoded) <= signed_width(dtype)
    codes = list(range(1 << dtype.width))
    rows = evaluate(m, [code], [value, key, back], [(c,) for c in codes])
    want = dtype.decode(np.array(codes)).tolist()
    assert [value for value, _, _ in rows] == want
    assert [back for _, _, back in rows] == codes
    # minus zero, a code no encoder makes, may sort on either side of zero but beside it
    by_key = [value for _, value in sorted(zip((key for _, key, _ in rows), want, strict=True))]
    assert by_key == sorted(want)
    assert len({key for _, key, _ in rows}) == len(codes)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_signed_width_holds_every_value(dtype: DType) -> None:
    limit = 1 << (signed_width(dtype) - 1)
    assert -limit <= dtype.min
    assert dtype.max < limit


def coded(values: np.ndarray, dtype: DType) -> list[int]:
    """What the encoder is to give: of an integer its own code, of a tapered format that of half the value."""
    return (dtype.encode_doubled(values) if dtype.tapered else dtype.encode(values)).tolist()


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_encode_of_every_integer_of_the_format(dtype: DType) -> None:
    """Every integer where there are few; else every representable value, every tie, and both neighbours of each."""
    low, high = dtype.min << dtype.guard_bits, dtype.max << dtype.guard_bits
    if high <= 1 << 12:
        values = np.arange(low, high + 1)
    else:
        table = dtype.values()
        ties = table[:-1] + table[1:]
        values = np.concatenate([base + step for base in (2 * table, ties) for step in (-1, 0, 1)])
        values = np.unique(np.clip(values, low, high))
    m, value, code = Module(), Signal(signed(dtype.decoded_width + 2)), Signal(dtype.width)
    m.d.comb += code.eq(codec(dtype).encode(m, value, "value"))
    rows = evaluate(m, [value], [code], [(v,) for v in values.tolist()])
    assert [code for (code,) in rows] == coded(values, dtype)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_encode_takes_the_narrowest_value_that_a_clip_leaves(dtype: DType) -> None:
    """A clip to 0 and 1 leaves a value of 2 bits: the encoder must not rely on more."""
    m, value, code = Module(), Signal(signed(2)), Signal(dtype.width)
    m.d.comb += code.eq(codec(dtype).encode(m, value, "value"))
    values = [v for v in (-1, 0, 1) if v >= dtype.min]
    rows = evaluate(m, [value], [code], [(v,) for v in values])
    assert [code for (code,) in rows] == coded(np.array(values), dtype)


@pytest.mark.parametrize(("a_bits", "b_bits"), [(1, 1), (2, 2), (3, 5), (5, 3), (4, 4), (1, 4), (4, 1)])
def test_product_out_of_adders(a_bits: int, b_bits: int) -> None:
    m, a, b = Module(), Signal(signed(a_bits)), Signal(signed(b_bits))
    product = Signal(signed(a_bits + b_bits + 2))
    m.d.comb += product.eq(booth_product(a, b))
    pairs = [
        (u, v)
        for u in range(-(1 << a_bits) // 2, (1 << a_bits) // 2)
        for v in range(-(1 << b_bits) // 2, (1 << b_bits) // 2)
    ]
    assert [p for (p,) in evaluate(m, [a, b], [product], pairs)] == [u * v for u, v in pairs]


def test_an_integer_is_all_digits() -> None:
    assert codec(IntType(8)).significand_bits == (8, 0)
    assert codec(IntType(3, False)).significand_bits == (3, 0)


def test_bits_that_a_product_depends_on() -> None:
    """Of every bit of the product, the bits of either code that change it for some value of the others."""
    a, b = DyBitType(3), DyBitType(2)
    left, right = (list(map(int, own.magnitudes)) for own in (a, b))
    product = [[x * y for x in left] for y in right]
    found = []
    for bit in range(max(map(max, product)).bit_length()):
        of_left = [
            any(row[n] >> bit & 1 != row[n ^ 1 << k] >> bit & 1 for row in product for n in range(len(left)))
            for k in range((len(left) - 1).bit_length())
        ]
        of_right = [
            any(
                product[n][x] >> bit & 1 != product[n ^ 1 << k][x] >> bit & 1
                for x in range(len(left))
                for n in range(len(right))
            )
            for k in range((len(right) - 1).bit_length())
        ]
        found.append(sum(of_left) + sum(of_right))
    assert table_inputs(a, b) == tuple(found)
    assert found
