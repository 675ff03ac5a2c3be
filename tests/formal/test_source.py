"""The rules of the sources: every token a site once and in order; sites in raster order, one end a frame."""

from __future__ import annotations

from typing import Any

import pytest
from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Assume, Cat, Module, Mux, Signal, Value

from hw.line_buffer.sliding_window import SlidingWindow
from hw.line_buffer.sparse_sliding_window import SparseSlidingWindow
from hw.line_buffer.token_buffer import TokenBuffer, WindowGeometry
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.window import Window
from tests.formal.prove import proven
from tests.formal.rules import in_order, moved, offer, take

SIDE = 2
LAYOUT = TokenLayout(Shape(SIDE, SIDE, 1), IntType(2, False), 1)
GEOMETRY = WindowGeometry(SIDE, SIDE, 1, Window.of(3, 1, 1))
PLACES = SIDE * SIDE


@pytest.mark.parametrize("cycles", [8, pytest.param(12, marks=pytest.mark.slow)])
def test_token_source(cycles: int) -> None:
    """However late the sites that were taken are done."""
    source = TokenBuffer(LAYOUT, site_cycles=1)
    m = Module()
    m.submodules.dut = source
    offer(m, source.i)
    take(m, source.site)
    working, done = Signal(4), AnySeq(1)
    m.d.sync += working.eq(working + moved(source.site) - done)
    m.d.comb += [source.done.eq(done), Assume(~done | working.bool() | moved(source.site))]
    p, s = source.i.payload, source.site.payload
    expected, got = Cat(p.end, p.y, p.x), Cat(s.end, s.y, s.x)
    in_order(m, moved(source.i), [expected], 1, source.site, got, source.slots, 1)
    assert proven(m, cycles)


def window_rules(source: Any, dense: bool, ends_early: bool = False) -> tuple[Module, Value, Value]:
    """(harness of frames in raster order to ``source``, sites so far, ends so far); ``ends_early`` breaks an assertion.

    A dense frame is full or empty, a sparse one has any sites.
    """
    m = Module()
    m.submodules.dut = source
    offer(m, source.i)
    take(m, source.site)
    p, s = source.i.payload, source.site.payload
    beat, site = moved(source.i), moved(source.site)
    place, following = Signal(4), Signal(4)
    m.d.comb += place.eq(p.y * SIDE + p.x)
    if dense:
        allowed = Mux(p.end, (following == 0) | (following == PLACES), place == following)
    else:
        allowed = p.end | (place >= following)
    m.d.comb += Assume(~source.i.valid | allowed)
    m.d.comb += Assume(~source.i.valid | ~p.end | (Cat(p.y, p.x, *p.features) == 0))
    with m.If(beat):
        m.d.sync += following.eq(Mux(p.end, 0, place + 1))

    # the sites each frame has, so far as it came: frames are few in a run
    frames_in, frames_out = Signal(5), Signal(5)
    sites = [Signal(PLACES, name=f"sites{n}") for n in range(16)]
    m.d.sync += [frames_in.eq(frames_in + (beat & p.end)), frames_out.eq(frames_out + (site & s.end))]
    out_following, present, given = Signal(4), Signal(PLACES), Signal(PLACES)
    out_place = Signal(4)
    m.d.comb += out_place.eq(s.y * SIDE + s.x)
    for n, frame in enumerate(sites):
        with m.If(beat & ~p.end & (frames_in == n)):
            m.d.sync += frame.eq(frame | (1 << place))
        with m.If(frames_out == n):
            m.d.comb += present.eq(frame)
    with m.If(site):
        m.d.sync += [out_following.eq(Mux(s.end, 0, out_place + 1)), given.eq(Mux(s.end, 0, given | (1 << out_place)))]
    # a dense source counts: it may close a frame that has all its sites before the frame's end has come
    whole = (frames_in - frames_out)[:5].as_signed() > 0
    if dense:
        whole = whole | present.all()
    missing = present & ~given
    m.d.comb += [
        # an end closes a frame that came whole, all of whose sites are out
        Assert(~(source.site.valid & s.end) | (whole & ((missing == 0) if not ends_early else given.all()))),
        Assert(~(source.site.valid & ~s.end) | ((out_place >= out_following) & missing.bit_select(out_place[:2], 1))),
    ]
    m.d.comb += [source.done.eq(site), source.releases.eq(s.release)]
    if not dense:
        m.d.comb += source.idle.eq(AnySeq(1))
    return m, site & ~s.end, site & s.end


SOURCES = {
    "dense": lambda: SlidingWindow(LAYOUT, GEOMETRY, parallel=False),
    "sparse": lambda: SparseSlidingWindow(LAYOUT, GEOMETRY, parallel=False),
}


@pytest.mark.whole
@pytest.mark.parametrize("kind, cycles", [("dense", 12), ("sparse", 10)])
def test_window_sites_in_raster_order_and_one_end_a_frame(kind: str, cycles: int) -> None:
    assert proven(window_rules(SOURCES[kind](), kind == "dense")[0], cycles)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_rule_that_sources_do_not_keep_is_refuted(kind: str) -> None:
    """That no frame is ever empty."""
    assert not proven(window_rules(SOURCES[kind](), kind == "dense", ends_early=True)[0], 9)


@pytest.mark.parametrize("kind", SOURCES)
def test_sites_come_within_the_bound(kind: str) -> None:
    """The proofs are not empty: a whole frame of a site and an end comes out within the cycles."""
    m, site, end = window_rules(SOURCES[kind](), kind == "dense")
    had = Signal()
    m.d.sync += had.eq(had | site)
    m.d.comb += Assert(~(had & end))
    assert not proven(m, 12 if kind == "dense" else 9)
