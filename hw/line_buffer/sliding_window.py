"""The dense sliding-window generator: every site of a frame is active, so it finds its sites by counting."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.line_buffer.line_buffer_rams import BankedLineBuffer, SerialLineBuffer
from hw.line_buffer.token_buffer import FRAMES_AHEAD, RELEASE_DELAY, WindowGeometry, clamp, site_layout, wrap
from hw.streams.layout import TokenLayout, index_bits
from hw.streams.stream import Queue, delay_line
from models.ir.window import Axis


class SlidingWindow(wiring.Component):
    """Sliding-window generator for dense frames: stores rows and counts the sites of the output.

    Parameters
        layout     layout of the input
        geometry   the window, with the rows to store
        parallel   whether all taps of a window are read at once
    Ports
        i              in, tokens of ``layout``; an empty frame is only its ``end``
        site           out, an output site: ``end``, ``y``, ``x`` and the next four fields
                       row          the stored row of the window's top, modulo ``geometry.rows``
                       column       ``geometry.x.stride * x``, in padded coordinates
                       mask         the taps inside the image, ky-major
                       release      how many stored rows no site after this one needs
        done           in, high when the last step of a site is issued
        releases       in, ``release`` of that site; its rows are free ``RELEASE_DELAY`` cycles later
        read_row       in, stored row of the tap to read; with ``parallel`` of the window's top
        read_column    in, column of the tap to read; with ``parallel`` of the window's left; in padded coordinates
        read_word      in, word of the tokens to read
        read_data      out, that word of the tap, 2 cycles later; with ``parallel`` of all taps, 4 cycles later, where
                       taps outside the image are undefined
    Timing
        II         1 beat per cycle; 1 site per cycle
        latency    1 cycle from the input that completes a site to ``site.valid``
        frames     at most ``FRAMES_AHEAD`` are begun before the first of them is finished
    Reset          drops all stored rows and sites
    """

    def __init__(self, layout: TokenLayout, geometry: WindowGeometry, parallel: bool) -> None:
        self.layout, self.geometry, self.parallel = layout, geometry, parallel
        g = geometry
        self.word_width = layout.lanes * layout.dtype.width
        fields = {
            "row": index_bits(g.rows),
            "column": index_bits(g.padded_width),
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

        # the input side: stored rows fill in order
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
            m.d.sync += wrow.eq(wrap(wrow + 1, g.rows))
        freed = delay_line(m, Mux(self.done, self.releases, 0), RELEASE_DELAY - 1, "freed")
        m.d.sync += held.eq(held + row_starts - freed)

        # the site side; lead: complete rows of this frame that are written; oy, ox: the next site to offer
        lead = Signal(range(g.height + g.rows + 1))
        oy, ox = Signal(index_bits(g.out_height)), Signal(index_bits(g.out_width))
        top = Signal(index_bits(g.rows), init=-g.y.before % g.rows)
        column = Signal(index_bits(g.padded_width))
        need_y, need_x = (
            Signal(index_bits(side), init=min(axis.below, side - 1)) for axis, side in ((g.y, g.height), (g.x, g.width))
        )
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
            m.d.sync += [closing.eq(0), top.eq(wrap(top + _frame_offset(g), g.rows))]
        with m.Elif(offer & full):
            m.d.sync += [
                ox.eq(ox + 1),
                column.eq(column + g.x.stride),
                need_x.eq(clamp(need_x + g.x.stride, g.width - 1)),
            ]
            with m.If(last_x):
                m.d.sync += [ox.eq(0), column.eq(0), need_x.eq(need_x.init)]
                with m.If(last_y):
                    m.d.sync += [oy.eq(0), need_y.eq(need_y.init), closing.eq(1)]
                with m.Else():
                    m.d.sync += [
                        oy.eq(oy + 1),
                        need_y.eq(clamp(need_y + g.y.stride, g.height - 1)),
                        top.eq(wrap(top + g.y.stride, g.rows)),
                    ]

        bits = self.word_width
        m.submodules.rows = rows = BankedLineBuffer(g, bits, False) if self.parallel else SerialLineBuffer(g, bits)
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
        """The taps inside the image, ky-major."""
        g = self.geometry
        inside_y, inside_x = _inside(oy, g.y, g.height), _inside(ox, g.x, g.width)
        return Cat(row & col for row in inside_y for col in inside_x)


def _releases(g: WindowGeometry) -> list[int]:
    """How many rows each row of windows frees: those above the next row of windows, as far as they have begun."""
    total, releases = 0, []
    for oy in range(g.out_height):
        stored = min(oy * g.y.stride + g.y.below, g.height - 1) + 1
        # the last row of windows frees every row that has begun; rows below all windows are freed with the end
        free = stored if oy == g.out_height - 1 else min((oy + 1) * g.y.stride - g.y.before, stored)
        releases.append(max(0, free - total))
        total += releases[-1]
    return releases


def _frame_offset(g: WindowGeometry) -> int:
    """From the stored row of a frame's last top to that of the next frame's first top, modulo ``g.rows``."""
    return (g.height - g.y.stride * (g.out_height - 1)) % g.rows


def _inside(index: Value, axis: Axis, side: int) -> list[Value]:
    """By tap, whether it is inside an input of length ``side`` at output ``index``."""
    return [(index >= max(0, first)) & (index <= last) for first, last in axis.outputs_seeing(side)]
