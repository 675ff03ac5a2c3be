"""The sparse source of windows: finds the active sites of its output, and the taps of each.

::

    i -> beat -> features of rows ────────────────────────────────────────────> read_data
              -> presence, a bit a site ────────────────┐
              -> slots: which row lies where ─────┐     │
              -> lists of cells -> heads -> which site -> its rows and their bits -> its taps = site
              -> how far the input has come ─┘

An output site is active when any site of its ``stride`` x ``stride`` cell is. A token enters its cell in a list as it
comes: one list for each row of a cell, so that each is in raster order and merging them finds every cell once.
Tokens left and right of all cells (a narrow padding, an odd side) enter one that is *blank*: no site, but a reason to
free the rows above, which nothing else might be. Lists, whatever their depth, show a cell as late as the way of the
input's progress is long: what is complete is at the heads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.codes import times
from hw.layout import TokenLayout, index_bits
from hw.presence import Presence
from hw.rows import AllTapsRows, OneTapRows
from hw.source import FRAMES_AHEAD, WindowGeometry, at_most, site_layout, wrapped
from hw.stream import Queue, RegisterSlice, delayed

FRAME_BITS = 3
"""Of the number of a frame, modulo 8: rows of ``FRAMES_AHEAD`` frames and of one more are there at a time."""

LIST_LATENCY = 3
"""Cycles from a cell's entry into its list to the head: the list's two, and its memory may be slow to read."""


class SparseWindowSource(wiring.Component):
    """Keeps the rows that have tokens and offers the windows of the active output sites.

    In: ``i``, tokens of ``layout``. Out: ``site`` with, beside its place, ``rows`` (the storage row of each of the
    window's, top first), ``column`` (``stride * x``, in padded coordinates), ``mask`` (the active taps, ky-major;
    there is one at least unless the stride is larger than the kernel) and ``release`` (the rows that no site from it on
    needs). A site leaves when no later token can change it: one beyond its window and its cell has shown at ``i``,
    whether it was taken or not, or the frame's ``end`` was taken.

    Reading: as the dense source, but ``read_row`` is the storage row of the tap itself, or all of ``rows`` with
    ``parallel``. ``done`` says that all reads of the sites before one are issued, by this cycle's at the latest, and
    ``releases`` what that one frees; ``idle``, that those of all sites so far are. A row is free ``RELEASE_DELAY``
    cycles later.

    II: the beats of a token; a site a cycle. Latency ``SPARSE_SITE_LATENCY - 2``. ``end`` waits while ``FRAMES_AHEAD``
    ends before it wait for their sites. A row without tokens takes neither storage nor time. Reset drops everything.

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
        fields["release"] = index_bits(g.rows + 1)
        self.site_layout = site_layout(g.out_height, g.out_width, fields)
        self.cells_wide = g.out_width + sum(g.blanks)
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
        begun, starts = Signal(), Signal()
        last, row = Signal(self.row_bits, init=g.rows - 1), Signal(self.row_bits)
        frame = Signal(FRAME_BITS)
        # rows and frames for which there is room beyond one: the sign says that there is none
        rows_left = Signal(range(-1, g.rows), init=g.rows - 1)
        frames_left = Signal(range(-1, FRAMES_AHEAD), init=FRAMES_AHEAD - 1)
        m.d.comb += [
            starts.eq(~p.end & (word == 0) & (~begun | (p.y != y))),
            row.eq(Mux(starts, wrapped(last + 1, g.rows), last)),
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

        # what came goes on from registers
        here = Signal(self.layout.struct, name="here")
        here_word, here_put, here_token, here_ends, here_starts = (
            delayed(m, signal, 1, name)
            for signal, name in (
                (word, "word"), (beat & ~p.end, "put"), (token, "token"), (ends, "ends"), (beat & starts, "starts")
            )
        )  # fmt: skip
        m.d.sync += here.eq(p)

        heads = self._heads(m, here, here_token, here_ends)
        cell, firsts = self._first(m, heads)
        # frames that came whole, and of the next one what lies before the place that was seen last
        whole, take, there = Signal(range(FRAMES_AHEAD + 1)), Signal(), Signal()
        passed = self._passed(m, token)
        complete = Cat((whole != 0) | passed(head.payload) for head in heads)
        m.d.comb += there.eq((firsts & complete).any())
        m.d.comb += [head.ready.eq(take & first) for head, first in zip(heads, firsts, strict=True)]
        closed = take & cell.end
        m.d.sync += [
            frames_left.eq(frames_left - ends + closed),
            whole.eq(whole + delayed(m, here_ends, LIST_LATENCY - 1, "ends_listed") - closed),
        ]

        # two registers on the way to a site: which cell, then its rows and their bits
        left, _ = g.blanks
        found, looked = Signal(self.cell_layout), Signal(self.cell_layout)
        found_valid, looked_valid, look, offer = Signal(), Signal(), Signal(), Signal()
        # a blank cell takes no time of the sites: the cell behind it may take its place, and frees its rows
        yields, blank = self._blank(found), self._blank(looked)
        m.d.comb += [
            self.site.valid.eq(looked_valid & ~blank),
            offer.eq(self.site.valid & self.site.ready),
            look.eq(found_valid & (~looked_valid | offer | blank)),
            take.eq(there & (~found_valid | look | yields)),
        ]
        m.d.sync += [
            found_valid.eq(take | (found_valid & ~look)),
            looked_valid.eq(look | (looked_valid & ~offer)),
        ]
        with m.If(take):
            m.d.sync += found.eq(cell)

        column = Signal(index_bits(g.width + 2 * g.padding))
        m.submodules.presence = presence = Presence(g.rows, g.width + 2 * g.padding, g.kernel)
        m.d.comb += [
            presence.clear.eq(here_starts),
            presence.put.eq(here_token),
            presence.row.eq(last),
            presence.x.eq(here.x + g.padding),
            column.eq(times(found.x, g.stride) - g.stride * left),
            presence.column.eq(column),
        ]
        hits, dead = self._slots(m, here_starts, last, here.y, frame, found, look)
        bits = [Signal(g.kernel, name=f"taps{n}") for n in range(g.rows)]
        hit = [Signal(g.rows, name=f"hit{ky}") for ky in range(g.kernel)]
        unused, released, looked_column = Signal(g.rows), Signal(), Signal.like(column)
        # rows above a blank are free when all sites before it are done, unless a site follows first
        m.d.comb += released.eq(offer | (blank & self.idle))
        m.d.sync += unused.eq(Mux(released, 0, unused) | Mux(look, Cat(dead), 0))
        with m.If(look):
            m.d.sync += [looked.eq(found), looked_column.eq(column)]
            m.d.sync += [bits[n].eq(getattr(presence, f"bits{n}")) for n in range(g.rows)]
            m.d.sync += [register.eq(value) for register, value in zip(hit, hits, strict=True)]
        s, freed = self.site.payload, Signal.like(self.releases)
        m.d.sync += [
            freed.eq(Mux(self.done, self.releases, 0) | Mux(blank & self.idle, s.release, 0)),
            rows_left.eq(rows_left - (beat & starts) + freed),
        ]
        taps = [_any(Mux(rows[n], bits[n], 0) for n in range(g.rows)) for rows in hit]
        m.d.comb += [
            s.end.eq(looked.end),
            s.y.eq(looked.y),
            s.x.eq(looked.x - left),
            s.column.eq(looked_column),
            s.rows.eq(Cat(_where(rows, self.row_bits) for rows in hit)),
            s.mask.eq(Cat(taps)),
            s.release.eq(sum(unused[1:], start=unused[0])),
        ]

        rows = AllTapsRows(g, self.word_width, True) if self.parallel else OneTapRows(g, self.word_width)
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

    def _passed(self, m: Module, token: Value) -> Callable[[data.View], Value]:
        """Whether a cell is complete by what was seen last at the input, when that has come to the heads.

        All before it is there, and it too where it was taken whole. Cells of rows above ``rows`` are complete, and of
        those above ``some_rows`` the ones left of ``columns``.
        """
        g, p = self.geometry, self.i.payload
        left, _ = g.blanks
        shift = g.stride.bit_length() - 1
        seen = Signal(data.StructLayout({"token": 1, "x": len(p.x), "y": len(p.y)}))
        with m.If(self.i.valid):
            m.d.sync += [seen.token.eq(token), seen.x.eq(p.x), seen.y.eq(p.y)]
        seen = delayed(m, seen, LIST_LATENCY - 1, "seen")

        def above(place: Value, reach: int, side: int, cells: int, name: str) -> Signal:
            """Of the cells of one direction how many have their last place before ``place``."""
            past, count = Signal(signed(len(place) + 2), name=f"past_{name}"), Signal(range(cells + 1), name=name)
            m.d.comb += past.eq(place - reach + g.stride - 1)
            m.d.sync += count.eq(Mux(place == side, cells, Mux(past < 0, 0, past >> shift)))
            return count

        rows = above(seen.y, g.reach, g.height, g.out_height, "rows")
        some_rows = above(seen.y + 1, g.reach, g.height, g.out_height, "some_rows")
        columns = above(seen.x + seen.token, g.reach - g.stride * left, g.width, self.cells_wide, "columns")
        return lambda cell: (cell.y < rows) | ((cell.y < some_rows) & (cell.x < columns))

    def _heads(self, m: Module, here: data.View, token: Value, ends: Value) -> list[Any]:
        """The first cells of a list for each row of a cell, as streams; every one takes ``end``."""
        g = self.geometry
        shift = g.stride.bit_length() - 1
        from_y, from_x = (
            Signal(signed(len(side) + 1), name=f"from_{name}") for name, side in (("y", here.y), ("x", here.x))
        )
        m.d.comb += [from_y.eq(here.y - g.cell_offset), from_x.eq(here.x - g.cell_offset)]
        cell_y = from_y >> shift
        inside = (cell_y >= 0) & (cell_y < g.out_height)
        # all cells left of the output are one, all right of it another
        left, right = g.blanks
        last = g.out_width - 1 + right
        cell_x = Signal(index_bits(self.cells_wide))
        m.d.comb += cell_x.eq(Mux(from_x < 0, 0, at_most(from_x >> shift, last) + left))
        heads = []
        for n in range(g.stride):
            # rows that are kept hold every cell that waits
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
        self, m: Module, starts: Value, row: Value, y: Value, frame: Value, site: data.View, look: Value
    ) -> tuple[list[Value], list[Value]]:
        """(for each row of the window which storage row has it, which storage rows no later window needs)."""
        g = self.geometry
        site_frame, top = Signal(FRAME_BITS), Signal(range(g.stride * g.out_height))
        with m.If(look & site.end):
            m.d.sync += site_frame.eq(site_frame + 1)
        m.d.comb += top.eq(times(site.y, g.stride))
        hits: list[list[Value]] = [[] for _ in range(g.kernel)]
        dead: list[Value] = []
        for n in range(g.rows):
            live, of = Signal(name=f"live{n}"), Signal(FRAME_BITS, name=f"frame{n}")
            # in padded coordinates
            place = Signal(range(g.height + g.padding), name=f"y{n}")
            below, done = Signal(signed(max(len(place), len(top)) + 1), name=f"below{n}"), Signal(name=f"done{n}")
            mine = live & (of == site_frame)
            m.d.comb += [below.eq(place - top), done.eq(mine & (site.end | (below < 0)))]
            with m.If(starts & (row == n)):
                m.d.sync += [live.eq(1), of.eq(frame), place.eq(y + g.padding)]
            with m.Elif(look & done):
                m.d.sync += live.eq(0)
            for ky in range(g.kernel):
                hits[ky].append(mine & (below == ky))
            dead.append(done)
        return [Cat(hit) for hit in hits], dead


def _any(values: Iterable[Value]) -> Value:
    first, *others = values
    for other in others:
        first = first | other
    return first


def _where(bits: Signal, width: int) -> Value:
    """The number of the bit that is set, of those of which one is or none."""
    return _any(Mux(bits[n], Const(n, width), 0) for n in range(len(bits)))
