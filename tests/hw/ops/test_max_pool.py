"""Max pooling: codes go through as they are, without sums and without a requantizer."""

from __future__ import annotations

import pytest

from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.fpga.mapping import OpMapping
from hw.ops.max_pool import MaxPoolOp
from models.ir.formats.registry import parse_dtype
from tests.hw.ops.cases import Case
from tests.support.ops import build_op


@pytest.mark.parametrize(("name", "bounds"), [("int4", (-8, 7)), ("uint4", (0, 15)), ("dybit4", (-16, 16))])
def test_a_maximum_is_a_value_of_the_format(name: str, bounds: tuple[int, int]) -> None:
    """Signed 4-bit DyBit reaches 4 in units of a quarter."""
    dtype = parse_dtype(name)
    op = build_op(Case("max_pool", (4, 4, 2), dtype, dtype, dtype, 2, 2, 2).graph(), OpMapping(1, 1, 4))
    assert isinstance(op, MaxPoolOp)
    assert (op.accumulator, op.requant, op.mac_array.largest) == (bounds, None, True)


def test_it_compares_and_neither_adds_nor_multiplies() -> None:
    dtype = parse_dtype("uint8")
    op = build_op(Case("max_pool", (4, 4, 2), dtype, dtype, dtype, 2, 2, 2).graph(), OpMapping(2, 2, 4))
    kinds = {part.kind for part in op.parts(FAMILIES["xcup"])}
    assert kinds == {"steps", "window_source", "queue", "banks", "sequencer", "maxima", "drain", "output"}
    assert op.resources(DEVICES["zu3eg"]).dsp == 0


def test_pipeline_is_read_compare_and_queue() -> None:
    """Four codes are compared in one stage: read 4, keys 1, stage 1, running maximum 1, serializer 1, queue 1."""
    dtype = parse_dtype("uint8")
    op = build_op(Case("max_pool", (4, 4, 2), dtype, dtype, dtype, 2, 2, 2).graph(), OpMapping(2, 2, 4))
    assert op.pipeline == 4 + 3 + 1 + 1
