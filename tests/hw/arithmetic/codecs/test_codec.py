"""Every number format in gates against the format's own tables, exhaustively."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, signed

from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from models.ir.dtype import DType
from models.ir.formats.registry import FORMATS as KINDS
from models.ir.formats.tapered import TaperedType
from tests.support.gates import evaluate

FORMATS = [kind(width, is_signed) for kind in KINDS.values() for width in kind.widths for is_signed in (False, True)]


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
    return (dtype.encode_doubled(values) if isinstance(dtype, TaperedType) else dtype.encode(values)).tolist()


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
