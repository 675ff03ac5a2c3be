"""The sparse sliding-window generator: finds the active sites of its output, and the active taps of each.

::

    i -> beat -> features of rows ────────────────────────────────────────────> read_data
              -> presence, a bit per site ──────────────┐
              -> slots: which row lies where ─────┐     │
              -> lists of cells -> heads -> which site -> its rows and their bits -> its taps = site
              -> how far the input has come ─┘

An output site is active when any site of its cell is, whose sides are the strides. Each token enters its cell into a
list when it arrives. There is a list for each row of a cell, so that each list is in raster order, and merging the
lists finds every cell once. Tokens to the left and to the right of all cells (narrow padding, odd width) enter a
*dummy* cell: it is no site, but it frees the rows above it where no site does.

Every list has the same latency as the input's progress on its way to the heads. When a cell is known to be complete,
it is therefore already visible at the head of its list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.choice import times
from hw.line_buffer.line_buffer_rams import BankedLineBuffer, SerialLineBuffer
from hw.line_buffer.site_bitmap import SiteBitmap
from hw.line_buffer.token_buffer import FRAMES_AHEAD, WindowGeometry, clamp, site_layout, wrap
from hw.streams.layout import TokenLayout, index_bits
from hw.streams.stream import Queue, RegisterSlice, delay_line
from models.ir.window import Axis

FRAME_BITS = 3
"""Bits of a frame's number, which counts modulo 8: rows of at most ``FRAMES_AHEAD + 1`` frames are stored at once."""

LIST_LATENCY = 3
"""Cycles from a cell's entry into its list to the head: two in the list, whose output is registered, one behind it."""


class SparseSlidingWindow(wiring.Component):
    """Sliding-window generator for sparse frames: stores the rows that have tokens and offers their active windows.

    A site leaves when no later token can change it: when a token beyond its window and its cell has shown at ``i``,
    taken or not, or when the frame's ``end`` was taken. A row without tokens takes neither storage nor time.

    The generator never hangs. A token that waits for a row shows at ``i``. With ``span + stride`` rows stored, it is
    beyond the window of the first cell in the lists. That cell is therefore complete and goes on, which frees the rows
    above it. The lists have room for every cell of the stored rows.

    Parameters
        layout     layout of the input
        geometry   the window, with the rows to store
        parallel   whether all taps of a window are read at once
    Ports
        i              in, tokens of ``layout``
        site           out, an active output site: ``end``, ``y``, ``x`` and the next four fields; at ``end``, ``y`` and
                       ``x`` are undefined
                       rows         the stored row of each of the window's rows, top first
                       column       ``geometry.x.stride * x``, in padded coordinates
                       mask         the active taps, ky-major; at least one, unless ``geometry.window.may_be_empty``
                       release      how many stored rows neither this site nor a later one needs
        done           in, high when a site begins and all reads of the sites before it are issued, the last one now
                       at the latest
        releases       in, ``release`` of the site that begins
        idle           in, high when all reads of all sites so far are issued, the last one now at the latest
        read_row       in, stored row of the tap to read; with ``parallel`` the site's ``rows``
        read_column    in, column of the tap to read; with ``parallel`` the site's ``column``; in padded coordinates
        read_word      in, word of the tokens to read
        read_data      out, that word of the tap, 2 cycles later; with ``parallel`` of all taps, 4 cycles later, where
                       taps outside the image are undefined
    Timing
        II         1 beat per cycle; 1 site per cycle
        latency    ``SPARSE_SITE_LATENCY - 2`` cycles from the input that completes a site to ``site.valid``
        storage    a row is free ``RELEASE_DELAY`` cycles after ``done`` or ``idle``
        frames     ``end`` waits while ``FRAMES_AHEAD`` earlier ends are still in the lists
    Reset          drops all stored rows and sites
    """

    def __init__(self, layout: TokenLayout, geometry: WindowGeometry, parallel: bool) -> None:
        self.layout, self.geometry, self.parallel = layout, geometry, parallel
        g = geometry
        self.row_bits = index_bits(g.rows)
        self.word_width = layout.lanes * layout.dtype.width
        fields = {"rows": g.y.kernel * self.row_bits, "column": index_bits(g.padded_width), "mask": g.taps}
        fields["release"] = index_bits(g.rows + 1)
        self.site_layout = site_layout(g.out_height, g.out_width, fields)
        self.cells_wide = g.out_width + sum(g.dummy_columns)
        self.cell_layout = data.StructLayout(
            {"x": index_bits(self.cells_wide), "y": index_bits(g.out_height), "end": unsigned(1)}
        )
        super().__init__(
            {
                "i": In(layout.signature),
                "site": Out(stream.Signature(self.site_layout)),
                "done": In(1),
                "releases": In(fields["release"]),
                "idle": In(1),
                "read_row": In(self.row_bits * (g.y.kernel if parallel else 1)),
                "read_column": In(fields["column"]),
                "read_word": In(index_bits(g.words)),
                "read_data": Out(self.word_width * (g.taps if parallel else 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        g, p = self.geometry, self.i.payload

        # the input side: the first token of a row takes the next stored row
        beat, token, ends = Signal(), Signal(), Signal()
        word, y = Signal(index_bits(g.words)), Signal(index_bits(g.height))
        begun, starts = Signal(), Signal()
        last, row = Signal(self.row_bits, init=g.rows - 1), Signal(self.row_bits)
        frame = Signal(FRAME_BITS)
        # room for rows and frames, less one: the sign says that there is none
        rows_left = Signal(range(-1, g.rows), init=g.rows - 1)
        frames_left = Signal(range(-1, FRAMES_AHEAD), init=FRAMES_AHEAD - 1)
        m.d.comb += [
            starts.eq(~p.end & (word == 0) & (~begun | (p.y != y))),
            row.eq(Mux(starts, wrap(last + 1, g.rows), last)),
            self.i.ready.eq(Mux(p.end, frames_left >= 0, ~starts | (rows_left >= 0))),
            beat.eq(self.i.valid & self.i.ready),
            token.eq(beat & ~p.end & (word == g.words - 1)),
            ends.eq(beat & p.end),
        ]
        with m.If(beat):
            m.d.sync += [begun.eq(~p.end), y.eq(p.y), last.eq(row)]
            with m.If(p.end):
                m.d.sync += frame.eq(frame + 1)
            with m.Else():
                m.d.sync += word.eq(Mux(token, 0, word + 1))

        # the beat that was taken, registered
        here = Signal(self.layout.struct, name="here")
        here_word, here_put, here_token, here_ends, here_starts = (
            delay_line(m, signal, 1, name)
            for signal, name in (
                (word, "word"), (beat & ~p.end, "put"), (token, "token"), (ends, "ends"), (beat & starts, "starts")
            )
        )  # fmt: skip
        m.d.sync += here.eq(p)

        heads = self._heads(m, here, here_token, here_ends)
        cell, firsts = self._first(m, heads)
        # a cell is complete in a frame whose end has arrived, or where the input has passed it
        whole, take, there = Signal(range(FRAMES_AHEAD + 1)), Signal(), Signal()
        is_complete = self._completion_test(m, token)
        complete = Cat((whole != 0) | is_complete(head.payload) for head in heads)
        m.d.comb += there.eq((firsts & complete).any())
        m.d.comb += [head.ready.eq(take & first) for head, first in zip(heads, firsts, strict=True)]
        closed = take & cell.end
        m.d.sync += [
            frames_left.eq(frames_left - ends + closed),
            whole.eq(whole + delay_line(m, here_ends, LIST_LATENCY - 1, "ends_listed") - closed),
        ]

        # two registers on the way to a site: first its cell, then its rows and their bits as well
        left, _ = g.dummy_columns
        found, looked = Signal(self.cell_layout), Signal(self.cell_layout)
        found_valid, looked_valid, look, offer = Signal(), Signal(), Signal(), Signal()
        # a dummy cell costs the sites no time: the next cell may replace it, and frees its rows as well
        yields, dummy = self._is_dummy(found), self._is_dummy(looked)
        m.d.comb += [
            self.site.valid.eq(looked_valid & ~dummy),
            offer.eq(self.site.valid & self.site.ready),
            look.eq(found_valid & (~looked_valid | offer | dummy)),
            take.eq(there & (~found_valid | look | yields)),
        ]
        m.d.sync += [
            found_valid.eq(take | (found_valid & ~look)),
            looked_valid.eq(look | (looked_valid & ~offer)),
        ]
        with m.If(take):
            m.d.sync += found.eq(cell)

        column = Signal(index_bits(g.padded_width))
        m.submodules.presence = presence = SiteBitmap(g.rows, g.padded_width, g.x.span)
        m.d.comb += [
            presence.clear.eq(here_starts),
            presence.put.eq(here_token),
            presence.row.eq(last),
            presence.x.eq(here.x + g.x.before),
            column.eq(times(found.x, g.x.stride) - g.x.stride * left),
            presence.column.eq(column),
        ]
        hits, dead = self._slots(m, here_starts, last, here.y, frame, found, look)
        bits = [Signal(g.x.kernel, name=f"taps{n}") for n in range(g.rows)]
        hit = [Signal(g.rows, name=f"hit{ky}") for ky in range(g.y.kernel)]
        unused, released, looked_column = Signal(g.rows), Signal(), Signal.like(column)
        # rows above a dummy are freed when all sites before it are done, or by the next site where that is earlier
        m.d.comb += released.eq(offer | (dummy & self.idle))
        m.d.sync += unused.eq(Mux(released, 0, unused) | Mux(look, Cat(dead), 0))
        with m.If(look):
            m.d.sync += [looked.eq(found), looked_column.eq(column)]
            seen = [getattr(presence, f"bits{n}") for n in range(g.rows)]
            spread = g.x.dilation
            m.d.sync += [own.eq(row if spread == 1 else row[::spread]) for own, row in zip(bits, seen, strict=True)]
            m.d.sync += [register.eq(value) for register, value in zip(hit, hits, strict=True)]
        s, freed = self.site.payload, Signal.like(self.releases)
        m.d.sync += [
            freed.eq(Mux(self.done, self.releases, 0) | Mux(dummy & self.idle, s.release, 0)),
            rows_left.eq(rows_left - (beat & starts) + freed),
        ]
        taps = [_any(Mux(rows[n], bits[n], 0) for n in range(g.rows)) for rows in hit]
        m.d.comb += [
            s.end.eq(looked.end),
            s.y.eq(looked.y),
            s.x.eq(looked.x - left),
            s.column.eq(looked_column),
            s.rows.eq(Cat(_bit_index(rows, self.row_bits) for rows in hit)),
            s.mask.eq(Cat(taps)),
            s.release.eq(sum(unused[1:], start=unused[0])),
        ]

        rows = BankedLineBuffer(g, self.word_width, True) if self.parallel else SerialLineBuffer(g, self.word_width)
        m.submodules.rows = rows
        m.d.comb += [
            rows.put.eq(here_put),
            rows.row.eq(last),
            rows.x.eq(here.x),
            rows.word.eq(here_word),
            rows.data.eq(here.features.as_value()),
            rows.read_row.eq(self.read_row),
            rows.read_column.eq(self.read_column),
            rows.read_word.eq(self.read_word),
            self.read_data.eq(rows.read_data),
        ]
        return m

    def _completion_test(self, m: Module, token: Value) -> Callable[[data.View], Value]:
        """A function that says whether a cell is complete, by the last place that has shown at the input.

        That place is delayed as long as the lists delay cells. Everything before it has arrived, and so has the place
        itself where its token was taken whole. The complete cells are those above row ``rows``, and those above row
        ``some_rows`` that are left of ``columns``.
        """
        g, p = self.geometry, self.i.payload
        left, _ = g.dummy_columns
        seen = Signal(data.StructLayout({"token": 1, "x": len(p.x), "y": len(p.y)}))
        with m.If(self.i.valid):
            m.d.sync += [seen.token.eq(token), seen.x.eq(p.x), seen.y.eq(p.y)]
        seen = delay_line(m, seen, LIST_LATENCY - 1, "seen")

        def cells_before(place: Value, extent: int, axis: Axis, side: int, cells: int, name: str) -> Signal:
            """How many cells along one direction end before ``place``."""
            past, count = Signal(signed(len(place) + 2), name=f"past_{name}"), Signal(range(cells + 1), name=name)
            m.d.comb += past.eq(place - extent + axis.stride - 1)
            m.d.sync += count.eq(Mux(place == side, cells, Mux(past < 0, 0, past >> _shift(axis))))
            return count

        rows = cells_before(seen.y, g.y.extent, g.y, g.height, g.out_height, "rows")
        some_rows = cells_before(seen.y + 1, g.y.extent, g.y, g.height, g.out_height, "some_rows")
        extent = g.x.extent - g.x.stride * left
        columns = cells_before(seen.x + seen.token, extent, g.x, g.width, self.cells_wide, "columns")
        return lambda cell: (cell.y < rows) | ((cell.y < some_rows) & (cell.x < columns))

    def _heads(self, m: Module, here: data.View, token: Value, ends: Value) -> list[Any]:
        """The heads of the lists, as streams: a list per row of a cell; ``end`` is in all of them."""
        g = self.geometry
        from_y, from_x = (
            Signal(signed(len(side) + 1 + (axis.cell_offset < 0)), name=f"from_{name}")
            for name, side, axis in (("y", here.y, g.y), ("x", here.x, g.x))
        )
        m.d.comb += [from_y.eq(here.y - g.y.cell_offset), from_x.eq(here.x - g.x.cell_offset)]
        shift = _shift(g.y)
        cell_y = from_y >> shift
        inside = (cell_y >= 0) & (cell_y < g.out_height)
        # all cells left of the output count as one, and all cells right of it as one
        left, right = g.dummy_columns
        last = g.out_width - 1 + right
        cell_x = Signal(index_bits(self.cells_wide))
        m.d.comb += cell_x.eq(Mux(from_x < 0, 0, clamp(from_x >> _shift(g.x), last) + left))
        heads = []
        for n in range(g.y.stride):
            # every cell that waits is in a stored row, so the list has room for all
            cells = Queue(self.cell_layout, g.rows * self.cells_wide + FRAMES_AHEAD, registered=True)
            m.submodules[f"cells{n}"] = cells
            pushed, fresh = Signal(self.cell_layout, name=f"pushed{n}"), Signal(init=1, name=f"fresh{n}")
            entry = cells.i.payload
            mine = token & inside & (from_y[:shift] == n if shift else 1)
            m.d.comb += [
                entry.end.eq(here.end),
                entry.y.eq(Mux(here.end, 0, cell_y)),
                entry.x.eq(Mux(here.end, 0, cell_x)),
                cells.i.valid.eq(ends | (mine & (fresh | (entry.as_value() != pushed.as_value())))),
            ]
            with m.If(cells.i.valid):
                m.d.sync += [pushed.eq(entry), fresh.eq(here.end)]
            m.submodules[f"head{n}"] = head = RegisterSlice(self.cell_layout)
            wiring.connect(m, cells.o, head.i)
            heads.append(head.o)
        return heads

    def _is_dummy(self, cell: data.View) -> Value:
        """Whether a cell is a dummy: no site of the output."""
        left, right = self.geometry.dummy_columns
        return ~cell.end & (((cell.x == 0) & left) | ((cell.x == self.cells_wide - 1) & right))

    def _first(self, m: Module, heads: list[Any]) -> tuple[data.View, Signal]:
        """(the first head in raster order, a bit per head that has it); all bits are 0 where no head is valid."""
        firsts = Signal(len(heads))
        first = Signal(self.cell_layout)
        for n, head in enumerate(heads):
            ahead = [~o.valid | (head.payload.as_value() <= o.payload.as_value()) for o in heads if o is not head]
            m.d.comb += firsts[n].eq(head.valid & Cat(ahead).all())
            with m.If(firsts[n]):
                m.d.comb += first.eq(head.payload)
        return first, firsts

    def _slots(
        self, m: Module, starts: Value, row: Value, y: Value, frame: Value, site: data.View, look: Value
    ) -> tuple[list[Value], list[Value]]:
        """By window row a bit per stored row that holds it, and a bit per stored row that no later window needs."""
        g = self.geometry
        site_frame, top = Signal(FRAME_BITS), Signal(range(g.y.stride * g.out_height))
        with m.If(look & site.end):
            m.d.sync += site_frame.eq(site_frame + 1)
        m.d.comb += top.eq(times(site.y, g.y.stride))
        hits: list[list[Value]] = [[] for _ in range(g.y.kernel)]
        dead: list[Value] = []
        for n in range(g.rows):
            live, of = Signal(name=f"live{n}"), Signal(FRAME_BITS, name=f"frame{n}")
            # in padded coordinates
            place = Signal(range(g.height + g.y.before), name=f"y{n}")
            below, done = Signal(signed(max(len(place), len(top)) + 1), name=f"below{n}"), Signal(name=f"done{n}")
            mine = live & (of == site_frame)
            m.d.comb += [below.eq(place - top), done.eq(mine & (site.end | (below < 0)))]
            with m.If(starts & (row == n)):
                m.d.sync += [live.eq(1), of.eq(frame), place.eq(y + g.y.before)]
            with m.Elif(look & done):
                m.d.sync += live.eq(0)
            for ky in range(g.y.kernel):
                hits[ky].append(mine & (below == g.y.dilation * ky))
            dead.append(done)
        return [Cat(hit) for hit in hits], dead


def _shift(axis: Axis) -> int:
    """The bits by which a place is shifted to give the number of its cell: a stride is a power of two."""
    return axis.stride.bit_length() - 1


def _any(values: Iterable[Value]) -> Value:
    """The bitwise or of some values."""
    first, *others = values
    for other in others:
        first = first | other
    return first


def _bit_index(bits: Signal, width: int) -> Value:
    """The position of the set bit, of which there is at most one; 0 where no bit is set."""
    return _any(Mux(bits[n], Const(n, width), 0) for n in range(len(bits)))
