"""Ops that take a beat of every input at a time: their cycles, latency and mappings by hand."""

from __future__ import annotations

import pytest

from hw.fpga.mapping import OpMapping
from hw.ops.latency import OpLatency
from models.ir.activity import Activity
from tests.hw.ops.cases import FOLDED
from tests.support.ops import build_op

KINDS = ("add", "requantize")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("pe", "beats"), [(1, 6), (2, 3), (3, 2), (6, 1)])
def test_cycles_are_the_beats_and_the_end(kind: str, pe: int, beats: int) -> None:
    op = build_op(FOLDED[kind].graph(), OpMapping(pe, pe))
    for tokens in (0, 1, 7):
        assert op.cycles(Activity(float(tokens), float(tokens))) == tokens * beats + 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_beat_is_late_by_the_pipeline(kind: str) -> None:
    """Of 4 tokens of 3 beats the last comes 11 cycles after the first."""
    op = build_op(FOLDED[kind].graph(), OpMapping(2, 2))
    assert op.start == 0
    assert op.latency(Activity(4.0, 4.0)) == OpLatency(op.pipeline, op.pipeline, 11, op.pipeline, 0)
    assert op.latency(Activity(0.0, 0.0)).duration == 0


@pytest.mark.parametrize("kind", KINDS)
def test_lanes_are_the_divisors_of_the_channels(kind: str) -> None:
    case = FOLDED[kind]
    assert case.mappings(case.graph()) == [OpMapping(pe, pe) for pe in (1, 2, 3, 6)]


@pytest.mark.parametrize("kind", KINDS)
def test_room_for_every_beat_on_its_way(kind: str) -> None:
    """A beat reserves its place when it comes; it is free again two cycles after the beat left at the earliest."""
    op = build_op(FOLDED[kind].graph(), OpMapping(1, 1))
    reserved = [range(cycle, cycle + op.pipeline + 2) for cycle in range(100)]
    assert op.depth == max(sum(cycle in span for span in reserved) for cycle in range(100))
