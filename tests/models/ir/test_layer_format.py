from __future__ import annotations

import pytest

from models.ir.formats.registry import FORMAT_NAMES
from models.ir.layer_format import LayerFormat


def test_names_parse_and_print() -> None:
    assert LayerFormat.parse("dybit4") == ("dybit4", "dybit4")
    assert LayerFormat.parse("dybit4xint8") == ("dybit4", "int8")
    assert str(LayerFormat.parse("int8xint8")) == "int8"
    for weights in FORMAT_NAMES:
        for output in FORMAT_NAMES:
            assert LayerFormat.parse(str(LayerFormat(weights, output))) == (weights, output)


@pytest.mark.parametrize("wrong", ["uint8", "int9", "dybit1", "int8x", "int8xint8xint8", "int4/int8", "", None, 8])
def test_others_are_refused(wrong: object) -> None:
    with pytest.raises(
        ValueError,
        match=r"unknown format .*; valid are int2 to int8, dybit2 to dybit8, fp4 to fp6, pot3 to pot4, or",
    ):
        LayerFormat.parse(wrong)


def test_widths_of_codes_and_of_decoded_numbers() -> None:
    assert LayerFormat.parse("int4").widths == (4, 4, 4, 4)
    assert LayerFormat.parse("dybit4xint8").widths == (4, 6, 8, 8)
