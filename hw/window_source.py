"""The dense source of windows: every site of a frame is active, so it finds its sites by counting."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.layout import TokenLayout, index_bits
from hw.rows import AllTapsRows, OneTapRows
from hw.source import FRAMES_AHEAD, RELEASE_DELAY, WindowGeometry, at_most, site_layout, wrapped
from hw.stream import Queue, delayed


class WindowSource(wiring.Component):
    """Keeps rows of a dense frame and offers the windows of its output sites, counting them.

    In: ``i``, tokens of ``layout``. Out: ``site`` with, beside its place, ``row`` (the storage row of the
    window's top, modulo ``rows``), ``column`` (``stride * x``, in padded coordinates), ``mask`` (which taps
    lie inside the image, ky-major) and ``release`` (rows free after it). ``done`` takes effect after
    ``RELEASE_DELAY``.

    Reading, one tap a time (``parallel=False``): ``read_row``, ``read_column`` (padded coordinate), ``read_word``
    to ``read_data``, two cycles later. All taps at once (``parallel=True``): ``read_row`` of the window's
    top and ``read_column`` of its left, to the taps' words, four cycles later; taps outside the image are garbage.

    II: the beats of a token; a site a cycle. Latency 1. At most ``FRAMES_AHEAD`` frames are begun
    before the first is finished; an empty frame gives only ``end``.
    """

    def __init__(self, layout: TokenLayout, geometry: WindowGeometry, parallel: bool) -> None:
        self.layout, self.geometry, self.parallel = layout, geometry, parallel
        g = geometry
        self.word_width = layout.lanes * layout.dtype.width
        fields = {
            "row": index_bits(g.rows),
            "column": index_bits(g.width + 2 * g.padding),
            "mask": g.taps,
            "release": index_bits(g.rows + 1),
        }
        self.site_layout = site_layout(g.out_height, g.out_width, fields)
        super().__init__(
            {
                "i": In(layout.signature),
                "site": Out(stream.Signature(self.site_layout)),
                "done": In(1),
                "releases": In(fields["release"]),
                "read_row": In(fields["row"]),
                "read_column": In(fields["column"]),
                "read_word": In(index_bits(g.words)),
                "read_data": Out(self.word_width * (g.taps if parallel else 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        g, p = self.geometry, self.i.payload

        # the writing side: rows fill in raster order, one after the other
        beat, token, first = Signal(), Signal(), Signal(init=1)
        word, x = Signal(index_bits(g.words)), Signal(index_bits(g.width))
        wrow = Signal(index_bits(g.rows))
        held = Signal(range(g.rows + 1))
        row_starts, row_ends = Signal(), Signal()
        m.submodules.frames = frames = Queue(unsigned(1), FRAMES_AHEAD)
        m.d.comb += [
            self.i.ready.eq((~first | frames.i.ready) & (p.end | (x != 0) | (word != 0) | (held != g.rows))),
            beat.eq(self.i.valid & self.i.ready),
            token.eq(beat & ~p.end & (word == g.words - 1)),
            row_starts.eq(beat & ~p.end & (x == 0) & (word == 0)),
            row_ends.eq(token & (x == g.width - 1)),
            # a frame is announced by its first beat: empty (1) or full (0)
            frames.i.valid.eq(self.i.valid & first & (p.end | (held != g.rows))),
            frames.i.payload.eq(p.end),
        ]
        with m.If(beat):
            m.d.sync += first.eq(p.end)
            with m.If(~p.end):
                m.d.sync += word.eq(Mux(token, 0, word + 1))
        with m.If(token):
            m.d.sync += x.eq(Mux(row_ends, 0, x + 1))
        with m.If(row_ends):
            m.d.sync += wrow.eq(wrapped(wrow + 1, g.rows))
        freed = delayed(m, Mux(self.done, self.releases, 0), RELEASE_DELAY - 1, "freed")
        m.d.sync += held.eq(held + row_starts - freed)

        # the site side: whole rows of this frame that are written, and the site to offer next
        lead = Signal(range(g.height + g.rows + 1))
        oy, ox = Signal(index_bits(g.out_height)), Signal(index_bits(g.out_width))
        top = Signal(index_bits(g.rows), init=-g.padding % g.rows)
        column = Signal(index_bits(g.width + 2 * g.padding))
        reach = g.kernel - 1 - g.padding
        need_y, need_x = (Signal(index_bits(side), init=min(reach, side - 1)) for side in (g.height, g.width))
        closing, offer, there = Signal(), Signal(), Signal()
        last_x, last_y, full = Signal(), Signal(), Signal()
        m.d.comb += [
            full.eq(frames.o.valid & ~frames.o.payload),
            last_x.eq(ox == g.out_width - 1),
            last_y.eq(oy == g.out_height - 1),
        ]
        with m.If(closing):
            m.d.comb += there.eq(lead >= g.height)
        with m.Elif(full):
            m.d.comb += there.eq((lead > need_y) | ((lead == need_y) & (x > need_x)))
        with m.Else():
            m.d.comb += there.eq(frames.o.valid)

        s, ends = self.site.payload, closing | ~full
        releases = _releases(g)
        m.d.comb += [
            self.site.valid.eq(there),
            offer.eq(there & self.site.ready),
            frames.o.ready.eq(offer & ends),
            s.end.eq(ends),
            s.y.eq(Mux(ends, 0, oy)),
            s.x.eq(Mux(ends, 0, ox)),
            s.row.eq(top),
            s.column.eq(column),
            s.mask.eq(self._mask(oy, ox)),
        ]
        with m.If(closing):
            m.d.comb += s.release.eq(g.height - sum(releases))
        with m.Elif(full & last_x):
            m.d.comb += s.release.eq(Array(releases)[oy])
        m.d.sync += lead.eq(lead + row_ends - Mux(offer & closing, g.height, 0))
        with m.If(offer & closing):
            m.d.sync += [closing.eq(0), top.eq(wrapped(top + _frame_turn(g), g.rows))]
        with m.Elif(offer & full):
            m.d.sync += [
                ox.eq(ox + 1),
                column.eq(column + g.stride),
                need_x.eq(at_most(need_x + g.stride, g.width - 1)),
            ]
            with m.If(last_x):
                m.d.sync += [ox.eq(0), column.eq(0), need_x.eq(need_x.init)]
                with m.If(last_y):
                    m.d.sync += [oy.eq(0), need_y.eq(need_y.init), closing.eq(1)]
                with m.Else():
                    m.d.sync += [
                        oy.eq(oy + 1),
                        need_y.eq(at_most(need_y + g.stride, g.height - 1)),
                        top.eq(wrapped(top + g.stride, g.rows)),
                    ]

        bits = self.word_width
        m.submodules.rows = rows = AllTapsRows(g, bits, False) if self.parallel else OneTapRows(g, bits)
        m.d.comb += [
            rows.put.eq(beat & ~p.end),
            rows.row.eq(wrow),
            rows.x.eq(x),
            rows.word.eq(word),
            rows.data.eq(p.features.as_value()),
            rows.read_row.eq(self.read_row),
            rows.read_column.eq(self.read_column),
            rows.read_word.eq(self.read_word),
            self.read_data.eq(rows.read_data),
        ]
        return m

    def _mask(self, oy: Value, ox: Value) -> Value:
        g = self.geometry
        inside_y = [_inside(oy, k, g.height, g) for k in range(g.kernel)]
        inside_x = [_inside(ox, k, g.width, g) for k in range(g.kernel)]
        return Cat(row & col for row in inside_y for col in inside_x)


def _releases(g: WindowGeometry) -> list[int]:
    """How many rows each row of windows frees: those before the next one's top, as far as they have begun."""
    freed, releases = 0, []
    for oy in range(g.out_height):
        begun = min(oy * g.stride + g.kernel - 1 - g.padding, g.height - 1) + 1
        # of the last one every row that has begun; what no window needs is freed with the end
        free = begun if oy == g.out_height - 1 else min((oy + 1) * g.stride - g.padding, begun)
        releases.append(max(0, free - freed))
        freed += releases[-1]
    return releases


def _frame_turn(g: WindowGeometry) -> int:
    """From the storage row of the last window's top to that of the next frame's first."""
    return (g.height - g.stride * (g.out_height - 1)) % g.rows


def _inside(index: Value, k: int, side: int, g: WindowGeometry) -> Value:
    """Whether tap ``k`` of output ``index`` lies inside an input ``side`` long."""
    first = max(0, -(-(g.padding - k) // g.stride))
    last = (side - 1 + g.padding - k) // g.stride
    return (index >= first) & (index <= last)
