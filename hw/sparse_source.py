"""The sparse source of windows: finds the active sites of its output, and the taps of each.

::

    i -> features of rows ───────────────────────────────────────> read_data
      -> presence, a bit a site ─────────────────┐
      -> slots: which row lies where ──────┐     │
      -> lists of cells -> which site -> its rows and their bits -> its taps = site

An output site is active when any site of its ``stride`` x ``stride`` cell is. A token enters its cell in a list as it
comes: one list for each row of a cell, so that each is in raster order and merging them finds every cell once.
Tokens left and right of all cells (a narrow padding, an odd side) enter one that is *blank*: no site, but a reason to
free the rows above, which nothing else might be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.codes import times
from hw.layout import TokenLayout, index_bits
from hw.presence import Presence
from hw.rows import AllTapsRows, OneTapRows
from hw.source import FRAMES_AHEAD, RELEASE_DELAY, WindowGeometry, at_most, site_layout, wrapped
from hw.stream import PromptQueue, delayed

FRAME_BITS = 3
"""Of the number of a frame, modulo 8: rows of ``FRAMES_AHEAD`` frames and of one more are there at a time."""


class SparseWindowSource(wiring.Component):
    """Keeps the rows that have tokens and offers the windows of the active output sites.

    In: ``i``, tokens of ``layout``. Out: ``site`` with, beside its place, ``rows`` (the storage row of each of the
    window's, top first), ``column`` (``stride * x``, in padded coordinates) and ``mask`` (the active taps, ky-major;
    there is one at least unless the stride is larger than the kernel). A site leaves when no later token can change
    it: one beyond its window and its cell has shown at ``i``, whether it was taken or not, or the frame's ``end`` was
    taken.

    Reading: as the dense source, but ``read_row`` is the storage row of the tap itself, or all of ``rows`` with
    ``parallel``. A row is free ``RELEASE_DELAY`` cycles after a site below it, or ``end``, has become the one at
    ``site``: until then ``site`` must stand while its last step reads.

    II: the beats of a token; a site a cycle. Latency ``SPARSE_SITE_LATENCY``. ``end`` waits while ``FRAMES_AHEAD`` ends
    before it wait for their sites. A row without tokens takes neither storage nor time. Reset drops everything.

    It never hangs: a token that waits for a row shows at ``i``, and with ``kernel + stride`` rows held that is beyond
    the window of the first cell in the lists, which therefore goes on and frees what lies above it; lists hold every
    cell of the rows held.
    """

    def __init__(self, layout: TokenLayout, geometry: WindowGeometry, parallel: bool) -> None:
        self.layout, self.geometry, self.parallel = layout, geometry, parallel
        g = geometry
        self.row_bits = index_bits(g.rows)
        self.word_width = layout.lanes * layout.dtype.width
        fields = {"rows": g.kernel * self.row_bits, "column": index_bits(g.width + 2 * g.padding), "mask": g.taps}
        self.site_layout = site_layout(g.out_height, g.out_width, fields)
        self.cells_wide = g.out_width + sum(g.blanks)
        self.cell_layout = data.StructLayout(
            {"x": index_bits(self.cells_wide), "y": index_bits(g.out_height), "end": unsigned(1)}
        )
        super().__init__(
            {
                "i": In(layout.signature),
                "site": Out(stream.Signature(self.site_layout)),
                "read_row": In(self.row_bits * (g.kernel if parallel else 1)),
                "read_column": In(fields["column"]),
                "read_word": In(index_bits(g.words)),
                "read_data": Out(self.word_width * (g.taps if parallel else 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        g, p = self.geometry, self.i.payload

        # the writing side: a row that has a token takes the next storage row
        beat, token, ends = Signal(), Signal(), Signal()
        word, y = Signal(index_bits(g.words)), Signal(index_bits(g.height))
        begun, starts, held = Signal(), Signal(), Signal(range(g.rows + 1))
        last, row = Signal(self.row_bits, init=g.rows - 1), Signal(self.row_bits)
        frame, ahead = Signal(FRAME_BITS), Signal(range(FRAMES_AHEAD + 1))
        m.d.comb += [
            starts.eq(~p.end & (word == 0) & (~begun | (p.y != y))),
            row.eq(Mux(starts, wrapped(last + 1, g.rows), last)),
            self.i.ready.eq(Mux(p.end, ahead != FRAMES_AHEAD, ~starts | (held != g.rows))),
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

        # what was seen last at the input: all before it is there, and it too where it was taken whole
        seen = Signal(1 + len(p.x) + len(p.y))
        with m.If(self.i.valid):
            m.d.sync += seen.eq(Cat(token, p.x, p.y))

        lists = self._lists(m, token, ends)
        heads = [cells.o for cells in lists]
        cell, firsts = self._first(m, heads)
        left, _ = g.blanks
        need_y, need_x = Signal(index_bits(g.height)), Signal(index_bits(g.width))
        there, take = Signal(), Signal()
        m.d.comb += [
            need_y.eq(at_most(times(cell.y, g.stride) + g.reach, g.height - 1)),
            need_x.eq(at_most(times(cell.x, g.stride) + g.reach - g.stride * left, g.width - 1)),
            there.eq((ahead != 0) | (seen > Cat(Const(0, 1), need_x, need_y))),
        ]
        m.d.comb += [head.ready.eq(take & first) for head, first in zip(heads, firsts, strict=True)]
        m.d.sync += ahead.eq(ahead + ends - (take & cell.end))

        # three registers on the way to a site: which cell, its rows and their bits, its taps
        found, looked = Signal(self.cell_layout), Signal(self.cell_layout)
        found_valid, looked_valid, look, offer = Signal(), Signal(), Signal(), Signal()
        # a blank cell takes no time of the sites: the cell behind it may take its place, and frees its rows
        yields, blank = self._blank(found), self._blank(looked)
        m.d.comb += [
            offer.eq(looked_valid & (~self.site.valid | self.site.ready)),
            look.eq(found_valid & (~looked_valid | offer | blank)),
            take.eq(firsts.any() & there & (~found_valid | look | yields)),
        ]
        m.d.sync += [
            found_valid.eq(take | (found_valid & ~look)),
            looked_valid.eq(look | (looked_valid & ~offer)),
            self.site.valid.eq((offer & ~blank) | (self.site.valid & ~self.site.ready)),
        ]
        with m.If(take):
            m.d.sync += found.eq(cell)

        column = Signal(index_bits(g.width + 2 * g.padding))
        m.submodules.presence = presence = Presence(g.rows, g.width + 2 * g.padding, g.kernel)
        m.d.comb += [
            presence.clear.eq(beat & starts),
            presence.put.eq(token),
            presence.row.eq(row),
            presence.x.eq(p.x + g.padding),
            column.eq(times(found.x, g.stride) - g.stride * left),
            presence.column.eq(column),
        ]
        hits, released = self._slots(m, beat & starts, row, frame, found, look)
        bits = [Signal(g.kernel, name=f"taps{n}") for n in range(g.rows)]
        hit = [Signal(g.rows, name=f"hit{ky}") for ky in range(g.kernel)]
        release, looked_column = Signal(range(g.rows + 1)), Signal.like(column)
        with m.If(look):
            m.d.sync += [looked.eq(found), release.eq(released + Mux(offer, 0, release)), looked_column.eq(column)]
            m.d.sync += [bits[n].eq(getattr(presence, f"bits{n}")) for n in range(g.rows)]
            m.d.sync += [register.eq(value) for register, value in zip(hit, hits, strict=True)]
        with m.Elif(offer):
            m.d.sync += release.eq(0)
        freed = delayed(m, Mux(offer, release, 0), RELEASE_DELAY - 1, "freed")
        m.d.sync += held.eq(held + (beat & starts) - freed)

        taps = [_any(Mux(rows[n], bits[n], 0) for n in range(g.rows)) for rows in hit]
        s = self.site.payload
        with m.If(offer):
            m.d.sync += [
                s.end.eq(looked.end),
                s.y.eq(looked.y),
                s.x.eq(looked.x - left),
                s.column.eq(looked_column),
                s.rows.eq(Cat(_where(rows, self.row_bits) for rows in hit)),
                s.mask.eq(Cat(taps)),
            ]

        rows = AllTapsRows(g, self.word_width, True) if self.parallel else OneTapRows(g, self.word_width)
        m.submodules.rows = rows
        m.d.comb += [
            rows.put.eq(beat & ~p.end),
            rows.row.eq(row),
            rows.x.eq(p.x),
            rows.word.eq(word),
            rows.data.eq(p.features.as_value()),
            rows.read_row.eq(self.read_row),
            rows.read_column.eq(self.read_column),
            rows.read_word.eq(self.read_word),
            self.read_data.eq(rows.read_data),
        ]
        return m

    def _lists(self, m: Module, token: Value, ends: Value) -> list[PromptQueue]:
        """A list of cells for each row of a cell; every one takes ``end``."""
        g, p = self.geometry, self.i.payload
        shift = g.stride.bit_length() - 1
        from_y, from_x = (Signal(signed(len(side) + 1), name=f"from_{name}") for name, side in (("y", p.y), ("x", p.x)))
        m.d.comb += [from_y.eq(p.y - g.cell_offset), from_x.eq(p.x - g.cell_offset)]
        cell_y = from_y >> shift
        inside = (cell_y >= 0) & (cell_y < g.out_height)
        # all cells left of the output are one, all right of it another
        left, right = g.blanks
        last = g.out_width - 1 + right
        cell_x = Signal(index_bits(self.cells_wide))
        m.d.comb += cell_x.eq(Mux(from_x < 0, 0, at_most(from_x >> shift, last) + left))
        lists = []
        for n in range(g.stride):
            # rows that are kept hold every cell that waits
            cells = PromptQueue(self.cell_layout, g.rows * self.cells_wide + FRAMES_AHEAD)
            m.submodules[f"cells{n}"] = cells
            pushed, fresh = Signal(self.cell_layout, name=f"pushed{n}"), Signal(init=1, name=f"fresh{n}")
            entry = cells.i.payload
            mine = token & inside & (from_y[:shift] == n if shift else 1)
            m.d.comb += [
                entry.end.eq(p.end),
                entry.y.eq(Mux(p.end, 0, cell_y)),
                entry.x.eq(Mux(p.end, 0, cell_x)),
                cells.i.valid.eq(ends | (mine & (fresh | (entry.as_value() != pushed.as_value())))),
            ]
            with m.If(cells.i.valid):
                m.d.sync += [pushed.eq(entry), fresh.eq(p.end)]
            lists.append(cells)
        return lists

    def _blank(self, cell: data.View) -> Value:
        """Whether a cell is no site of the output."""
        left, right = self.geometry.blanks
        return ~cell.end & (((cell.x == 0) & left) | ((cell.x == self.cells_wide - 1) & right))

    def _first(self, m: Module, heads: list[Any]) -> tuple[data.View, Signal]:
        """(the first of the heads in raster order, which of them are it); none where there is none."""
        firsts = Signal(len(heads))
        first = Signal(self.cell_layout)
        for n, head in enumerate(heads):
            ahead = [~o.valid | (head.payload.as_value() <= o.payload.as_value()) for o in heads if o is not head]
            m.d.comb += firsts[n].eq(head.valid & Cat(ahead).all())
            with m.If(firsts[n]):
                m.d.comb += first.eq(head.payload)
        return first, firsts

    def _slots(
        self, m: Module, starts: Value, row: Value, frame: Value, site: data.View, look: Value
    ) -> tuple[list[Value], Value]:
        """(for each row of the window which storage row has it, how many rows no later window needs)."""
        g = self.geometry
        site_frame = Signal(FRAME_BITS)
        with m.If(look & site.end):
            m.d.sync += site_frame.eq(site_frame + 1)
        top = Signal(signed(index_bits(g.height) + 2))
        m.d.comb += top.eq(times(site.y, g.stride) - g.padding)
        hits: list[list[Value]] = [[] for _ in range(g.kernel)]
        dead: list[Value] = []
        for n in range(g.rows):
            live, of = Signal(name=f"live{n}"), Signal(FRAME_BITS, name=f"frame{n}")
            y, below = Signal(index_bits(g.height), name=f"y{n}"), Signal(signed(len(top) + 1), name=f"below{n}")
            done = Signal(name=f"done{n}")
            mine = live & (of == site_frame)
            m.d.comb += [below.eq(y - top), done.eq(mine & (site.end | (below < 0)))]
            with m.If(starts & (row == n)):
                m.d.sync += [live.eq(1), of.eq(frame), y.eq(self.i.payload.y)]
            with m.Elif(look & done):
                m.d.sync += live.eq(0)
            for ky in range(g.kernel):
                hits[ky].append(mine & (below == ky))
            dead.append(done)
        return [Cat(hit) for hit in hits], sum(dead[1:], start=dead[0])


def _any(values: Iterable[Value]) -> Value:
    first, *others = values
    for other in others:
        first = first | other
    return first


def _where(bits: Signal, width: int) -> Value:
    """The number of the bit that is set, of those of which one is or none."""
    return _any(Mux(bits[n], Const(n, width), 0) for n in range(len(bits)))
