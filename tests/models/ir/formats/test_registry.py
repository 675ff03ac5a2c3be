"""Names of number formats: every one is read back, and others are quoted."""

from __future__ import annotations

import pytest

from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import FORMAT_NAMES, parse_dtype
from models.ir.formats.registry import FORMATS as KINDS

FORMATS = [kind(width, signed) for kind in KINDS.values() for width in kind.widths for signed in (True, False)]


@pytest.mark.parametrize("dtype", [*FORMATS, IntType(16), IntType(32), IntType(33, False)], ids=str)
def test_names_round_trip(dtype: DType) -> None:
    assert parse_dtype(str(dtype)) == dtype


@pytest.mark.parametrize("name", ["int", "float8", "dybit", "Int8", " int8", "uuint4", "", None, 8])
def test_unknown_names_are_quoted(name: object) -> None:
    with pytest.raises(ValueError, match=r"unknown number format .*valid are int2 to int8"):
        parse_dtype(name)  # type: ignore[arg-type]


def test_what_a_layer_may_take() -> None:
    expected = [f"{kind}{width}" for kind in ("int", "dybit") for width in range(2, 9)]
    assert list(FORMAT_NAMES) == [*expected, "fp4", "fp5", "fp6", "pot3", "pot4"]
    assert all(parse_dtype(name).signed and not parse_dtype("u" + name).signed for name in FORMAT_NAMES)
