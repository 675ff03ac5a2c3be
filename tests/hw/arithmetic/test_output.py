# amaranth: UnusedElaboratable=no
"""The reserved queue of an op's output, and the serializer in front of it."""

from __future__ import annotations

from typing import Any

import pytest

from hw.arithmetic.output import CreditFifo, OutputSerializer
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.requant import Requant
from tests.support.clocked import clocked


@pytest.mark.parametrize("depth", [1, 4, 7])
def test_an_output_of_which_all_places_are_reserved_is_not_open(depth: int) -> None:
    output = CreditFifo(TokenLayout(Shape(2, 2, 1), IntType(8), 1), depth)

    def put(ctx: Any, step: int) -> None:
        # all places, none, and two cycles after the beat that leaves one of them, which stays free
        ctx.set(output.reserve, depth if step == 1 else 0)
        ctx.set(output.push, step == 3)
        ctx.set(output.o.ready, 1)

    opened = clocked(output, 10, 0, put, lambda ctx: ctx.get(output.open))
    assert opened[:5] == [1, 1, 0, 0, 0]
    assert opened[-1] == 1


def test_a_serializer_says_with_one_bit_that_there_is_a_beat() -> None:
    layout = TokenLayout(Shape(2, 2, 4), IntType(8), 2)
    drain = OutputSerializer(layout, 4, Requant.identity(4, -128, 127), (-100, 100))
    assert (drain.push.shape().width, drain.last.shape().width, drain.end.shape().width) == (1, 1, 1)
