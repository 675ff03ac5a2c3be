"""Formats against a second reading of the definition, in exact rationals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import FORMATS as KINDS
from tests.support.rationals import real_values, unit

FORMATS = [kind(width, signed) for kind in KINDS.values() for width in kind.widths for signed in (True, False)]


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_every_code_decodes_as_defined(dtype: DType) -> None:
    decoded = dtype.decode(np.arange(1 << dtype.width))
    assert tuple(value * unit(dtype) for value in decoded.tolist()) == real_values(dtype)
    assert dtype.values().tolist() == sorted(set(decoded.tolist()))
    assert (dtype.min, dtype.max) == (decoded.min(), decoded.max())
    smallest = IntType(dtype.decoded_width, dtype.signed)
    assert smallest.min <= dtype.min
    assert dtype.max <= smallest.max


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_nearest_is_nearest_with_ties_upward(dtype: DType) -> None:
    reach = min(2 * dtype.max, 3000)
    wanted = np.unique(np.concatenate([np.arange(-reach, reach + 1), [-dtype.max * 2, dtype.max - 1, dtype.max * 2]]))
    values = dtype.values()
    distance = np.abs(values[None, :] - wanted[:, None])
    tied = distance == distance.min(axis=1, keepdims=True)
    expected = values[np.where(tied, np.arange(len(values)), -1).argmax(axis=1)]
    assert dtype.nearest_value(wanted).tolist() == expected.tolist()
    assert dtype.decode(dtype.encode(wanted)).tolist() == expected.tolist()


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_numbers_between_halves_are_rounded_once(dtype: DType) -> None:
    """A number is known by its half rounded down: halves, and what lies an eighth above them or below the next."""
    reach = min(2 * dtype.max + 4, 600)
    doubled = np.array([*range(-reach, reach), 2 * dtype.max, 2 * dtype.min])
    values = dtype.values()
    for eighths in (0, 1, 7):
        sixteenths = 8 * doubled + eighths
        distance = np.abs(16 * values[None, :] - sixteenths[:, None])
        nearest = distance == distance.min(axis=1, keepdims=True)
        assert np.array_equal(
            dtype.round_doubled(doubled), values[np.where(nearest, np.arange(len(values)), -1).argmax(axis=1)]
        )


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_codes_round_trip_except_minus_zero(dtype: DType) -> None:
    codes = np.arange(1 << dtype.width)
    back = dtype.encode(dtype.decode(codes))
    minus_zero = 1 << (dtype.width - 1) if dtype.tapered and dtype.signed else None
    assert [code for code in codes.tolist() if back[code] != code] == ([] if minus_zero is None else [minus_zero])


@given(st.sampled_from(FORMATS), st.lists(st.integers(-(2**40), 2**40), min_size=1))
def test_nearest_is_idempotent_monotone_and_representable(dtype: DType, wanted: list[int]) -> None:
    near = dtype.nearest_value(np.array(sorted(wanted)))
    assert (np.diff(near) >= 0).all()
    assert np.isin(near, dtype.values()).all()
    assert (dtype.nearest_value(near) == near).all()


@pytest.mark.parametrize("bad", [True, 4.0, "4"])
def test_widths_must_be_integers(bad: object) -> None:
    with pytest.raises(TypeError, match="width must be an integer"):
        DyBitType(bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [IntType(4), DyBitType(4, False)], ids=str)
@pytest.mark.parametrize("code", [-1, 16])
def test_codes_out_of_range_are_quoted(dtype: DType, code: int) -> None:
    with pytest.raises(ValueError, match=f"{dtype} codes are 0 to 15, not {code}"):
        dtype.decode(np.array([0, code]))


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_headroom_is_what_lies_above_values_a_step_apart(dtype: DType) -> None:
    positive = [value for value in dtype.values().tolist() if value > 0]
    apart = max(value for place, value in enumerate(positive, 1) if value == place)
    octaves = 0
    while apart << octaves < dtype.max:
        octaves += 1
    assert dtype.headroom == octaves


@pytest.mark.parametrize("kind, width", [(kind, at) for kind in KINDS.values() for at in (1, kind.widths[-1] + 57)])
def test_widths_out_of_range_are_quoted(kind: type[DType], width: int) -> None:
    with pytest.raises(ValueError, match=rf"^{kind.__name__} width must be \d to \d+, not {width}$"):
        kind(width)
