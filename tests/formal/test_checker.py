"""The frame checker: whatever beats come in, only whole and legal frames go on, and none waits without a reason."""

from __future__ import annotations

from typing import Any

import pytest
from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Assume, Cat, Module, Mux, Signal, Value

from hw.interface.axi_layout import AxiLayout, Form
from hw.interface.checker import FrameChecker
from hw.streams.layout import MaskLayout, TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from tests.formal.prove import proven
from tests.formal.rules import moved, offer, take

CODES = IntType(2, False)
SIDE = 3


def harness(layout: AxiLayout, whole: bool, most: int | None = None) -> tuple[Module, FrameChecker, Value]:
    """(any beats into a checker, with what holds for any form asserted; the checker; whether a good frame closes).

    ``most``: beats within which a bad frame is asserted to be closed, by default those of the largest frame.
    """
    m = Module()
    m.submodules.dut = dut = FrameChecker(layout, whole)
    offer(m, dut.i)
    take(m, dut.o)
    room, before, closed_before, bad = AnySeq(1), Signal(), Signal(), Signal()
    m.d.sync += [before.eq(room), closed_before.eq(dut.closed), bad.eq(~dut.closed & (bad | dut.fault.any()))]
    m.d.comb += [
        dut.room.eq(room),
        dut.cut.eq(AnySeq(1) & ~dut.i.valid),
        # room for a verdict goes only where one was given
        Assume(~before | closed_before | room),
        Assert(~dut.closed | (moved(dut.o) & (dut.verdict.bad == bad))),
        Assert(dut.fault & (dut.fault - 1) == 0),
        Assert(~(bad & dut.fault.any())),
    ]
    # once a frame is bad it is closed within the beats it can lack, where the accelerator and the verdicts take them
    waited = Signal(range(16))
    m.d.sync += waited.eq(Mux(bad & ~dut.closed, waited + (dut.o.ready & room), 0))
    m.d.comb += Assert(waited <= (layout.most_beats if most is None else most))
    return m, dut, dut.closed & ~bad


def token_rules(m: Module, dut: Any) -> Value:
    """Assert that ``o`` gives legal frames of tokens; the number of sites so far."""
    p, some, part = dut.o.payload, Signal(), Signal()
    place, last, sites = Cat(p.x, p.y), Signal(4), Signal(4)
    with m.If(moved(dut.o)):
        m.d.sync += [some.eq(~p.end), part.eq(~p.end & ~part), last.eq(place), sites.eq(Mux(p.end, 0, sites + part))]
    m.d.comb += [
        Assert(~(dut.o.valid & p.end) | (~part & (Value.cast(p) == 1))),
        Assert(~(dut.o.valid & ~p.end) | ((p.y < SIDE) & (p.x < SIDE))),
        Assert(~(dut.o.valid & ~p.end & part) | (place == last)),
        Assert(~(dut.o.valid & ~p.end & ~part & some) | (place > last)),
        Assert(dut.closed == (moved(dut.o) & p.end)),
    ]
    return sites


TOKENS = AxiLayout(Form.TOKENS, TokenLayout(Shape(SIDE, SIDE, 2), CODES, 1))
PIXELS = AxiLayout(Form.PIXELS, TokenLayout(Shape(2, 1, 2), CODES, 1))
MASK = AxiLayout(Form.MASK, MaskLayout(Shape(1, 3, 1), CODES, 1, 2))


@pytest.mark.parametrize("cycles", [14, pytest.param(24, marks=pytest.mark.slow)])
def test_tokens(cycles: int) -> None:
    m, dut, _ = harness(TOKENS, False)
    token_rules(m, dut)
    assert proven(m, cycles)


def test_that_no_good_frame_has_a_site_is_refuted() -> None:
    m, dut, good = harness(TOKENS, False)
    m.d.comb += Assert(~(good & (token_rules(m, dut) == 1)))
    assert not proven(m, 5)


def test_that_a_bad_frame_closes_with_fewer_beats_is_refuted() -> None:
    """A single beat is no end for pixels of which three are missing."""
    assert not proven(harness(PIXELS, True, most=2)[0], 8)


@pytest.mark.parametrize("cycles", [16, pytest.param(24, marks=pytest.mark.slow)])
def test_pixels(cycles: int) -> None:
    """Of two sites of two beats each: all of them in order, or none."""
    m, dut, _ = harness(PIXELS, True)
    p, count = dut.o.payload, Signal(3)
    with m.If(moved(dut.o)):
        m.d.sync += count.eq(Mux(p.end, 0, count + 1))
    m.d.comb += [
        Assert(~(dut.o.valid & p.end) | (((count == 0) | (count == 4)) & (Value.cast(p) == 1))),
        Assert(~(dut.o.valid & ~p.end) | ((count < 4) & (Cat(p.x, p.y) == count[1] << 1))),
        Assert(dut.closed == (moved(dut.o) & p.end)),
    ]
    assert proven(m, cycles)


@pytest.mark.parametrize("cycles", [14, pytest.param(24, marks=pytest.mark.slow)])
@pytest.mark.parametrize("whole", [False, True])
def test_masks(whole: bool, cycles: int) -> None:
    """Of three sites in two words: the features that the mask announces, then the next frame; all sites or none."""
    m, dut, _ = harness(MASK, whole)
    word, count, left, mask = Value.cast(dut.o.payload), Signal(2), Signal(3), Signal(3)
    last_word = count == 1
    sites = left + word[0] + (word[1] & ~last_word)
    with m.If(moved(dut.o)):
        with m.If(count < 2):
            m.d.sync += [left.eq(sites), count.eq(Mux(last_word & (sites == 0), 0, count + 1))]
            m.d.sync += mask.eq(Mux(last_word, mask | word[0] << 2, word))
        with m.Else():
            m.d.sync += [left.eq(left - 1), count.eq(Mux(left == 1, 0, 2))]
    ends = Mux(count < 2, last_word & (sites == 0), left == 1)
    m.d.comb += Assert(dut.closed == (moved(dut.o) & ends))
    if whole:
        m.d.comb += Assert((count != 2) | (mask == 0b111))
    assert proven(m, cycles)
