"""Where an op's input lives until it is used: the store of tokens or rows, and the next site to compute.

A source takes the input stream into memory and offers *sites*, in raster order, as soon as no
later token can change them. The sequencer takes a site's words by address while it works on it
and frees the storage when it is done (``release``, from the site, three cycles after ``done``).

``WindowSource`` (kernel or stride above 1) keeps so many rows that the next ones can be filled while a
window is read, so neither side waits in steady state. With every site
active it finds sites by counting. ``TokenSource`` (kernel 1, stride 1) keeps a few tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.codes import times
from hw.layout import TokenLayout, index_bits
from hw.stream import Queue, delayed

RELEASE_DELAY = 3
"""Cycles from a site's last step to its storage being writable: the read of that step comes first."""

SITE_LATENCY = 2
"""Cycles from the input beat that completes a site to the first step on it."""


def read_latency(parallel: bool) -> int:
    """Cycles from a source's read inputs to the words: address and memory; two turns more for all taps at once."""
    return 4 if parallel else 2


FRAMES_AHEAD = 4
"""Frames whose start a window source accepts before the first of them is finished."""

LUT_STORE_BITS = 8192
"""A store of more bits, and deeper than a LUT memory, goes to block memory."""


def store_is_block(depth: int, width: int) -> bool:
    return depth >= 64 and depth * width > LUT_STORE_BITS


@dataclass(frozen=True)
class WindowGeometry:
    """A k x k window over an input of ``height`` x ``width`` tokens, ``words`` memory words each."""

    height: int
    width: int
    words: int
    kernel: int
    stride: int
    padding: int
    spare: int = 0
    """Rows kept beyond what the windows need; see ``spare_rows``."""

    @property
    def out_height(self) -> int:
        return (self.height + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def out_width(self) -> int:
        return (self.width + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def rows(self) -> int:
        """Input rows kept: a window and the rows the next one adds, with those a stride passes over; or the last
        window of a frame and all that the first one of the next frame needs.
        """
        passed = max(0, self.stride - self.kernel)
        last = self.height - (self.stride * (self.out_height - 1) - self.padding)
        return max(self.kernel + self.stride + passed, last + self.kernel - self.padding) + self.spare

    @property
    def columns(self) -> int:
        """Column banks when all taps are read at once: the next power of two."""
        return 1 << (self.kernel - 1).bit_length()

    @property
    def taps(self) -> int:
        return self.kernel**2

    @property
    def lead(self) -> float:
        """The share of the dense input frame that comes before the first window is complete."""
        reach = self.kernel - 1 - self.padding
        rows, columns = min(reach, self.height - 1), min(reach, self.width - 1)
        return (rows * self.width + columns) / (self.height * self.width)

    def banks(self, parallel: bool) -> tuple[int, int]:
        """(how many memories, depth of each)."""
        if not parallel:
            return 1, self.rows * self.width * self.words
        return self.rows * self.columns, -(-self.width // self.columns) * self.words


def token_slots(words: int, steps: int) -> int:
    """Tokens a ``TokenSource`` keeps so that storage never limits a token of ``steps`` cycles; one is for ``end``."""
    need = 1 - (-(words + steps + RELEASE_DELAY + SITE_LATENCY) // steps)
    return 1 << (max(2, need) - 1).bit_length()


def site_layout(height: int, width: int, fields: dict[str, int]) -> data.StructLayout:
    """A site of the output: its place, ``end`` for the close of the frame, and what addresses its words."""
    base = {"end": 1, "y": index_bits(height), "x": index_bits(width)}
    return data.StructLayout({name: unsigned(bits) for name, bits in {**base, **fields}.items()})


class TokenSource(wiring.Component):
    """Keeps whole tokens; every token is a site.

    In: ``i``, tokens of ``layout``. Out: ``site``, with the ``slot`` its token is in; word ``read_word`` of the
    token in ``read_slot`` shows at ``read_data`` two cycles later. ``done`` frees the site's slot. ``steps`` is
    how long a site takes at least. II: the beats of a token. Latency ``SITE_LATENCY``.
    """

    def __init__(self, layout: TokenLayout, steps: int) -> None:
        self.layout = layout
        self.words = layout.beats_per_token
        self.slots = token_slots(self.words, steps)
        self.depth = self.slots * self.words
        self.site_layout = site_layout(layout.shape.height, layout.shape.width, {"slot": index_bits(self.slots)})
        super().__init__(
            {
                "i": In(layout.signature),
                "site": Out(stream.Signature(self.site_layout)),
                "done": In(1),
                "read_slot": In(index_bits(self.slots)),
                "read_word": In(index_bits(self.words)),
                "read_data": Out(layout.lanes * layout.dtype.width),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = self.layout.lanes * self.layout.dtype.width
        attrs = {"ram_style": "block" if store_is_block(self.depth, width) else "distributed"}
        m.submodules.words = words = memory.Memory(shape=unsigned(width), depth=self.depth, init=[], attrs=attrs)
        places = data.StructLayout({name: self.site_layout[name].shape for name in ("end", "y", "x")})
        m.submodules.places = place = memory.Memory(shape=places, depth=self.slots, init=[])
        write, read = words.write_port(), words.read_port()
        note, recall = place.write_port(), place.read_port(domain="comb")
        slot, word = Signal(range(self.slots)), Signal(index_bits(self.words))
        held, ready = Signal(range(self.slots + 1)), Signal(range(self.slots + 1))
        following, place_read = Signal.like(slot), Signal(range(self.depth))
        beat, token, take = Signal(), Signal(), Signal()
        p = self.i.payload
        m.d.comb += [
            self.i.ready.eq((word != 0) | (held != self.slots)),
            beat.eq(self.i.valid & self.i.ready),
            token.eq(beat & (p.end | (word == self.words - 1))),
            write.addr.eq(times(slot, self.words) + word),
            write.data.eq(p.features.as_value()),
            write.en.eq(beat),
            note.addr.eq(slot),
            note.data.end.eq(p.end),
            note.data.y.eq(p.y),
            note.data.x.eq(p.x),
            note.en.eq(token),
            recall.addr.eq(following),
            take.eq((ready != 0) & (~self.site.valid | self.site.ready)),
            read.addr.eq(place_read),
            self.read_data.eq(read.data),
        ]
        m.d.sync += place_read.eq(times(self.read_slot, self.words) + self.read_word)
        free = delayed(m, self.done, RELEASE_DELAY - 1, "free")
        m.d.sync += held.eq(held + (beat & (word == 0)) - free)
        m.d.sync += ready.eq(ready + token - take)
        with m.If(beat):
            m.d.sync += word.eq(Mux(token, 0, word + 1))
        with m.If(token):
            m.d.sync += slot.eq(slot + 1)
        with m.If(self.site.ready):
            m.d.sync += self.site.valid.eq(0)
        with m.If(take):
            s = self.site.payload
            m.d.sync += [
                self.site.valid.eq(1),
                s.end.eq(recall.data.end),
                s.y.eq(recall.data.y),
                s.x.eq(recall.data.x),
                s.slot.eq(following),
                following.eq(following + 1),
            ]
        return m


class WindowSource(wiring.Component):
    """Keeps rows of a dense frame and offers the windows of its output sites, counting them.

    In: ``i``, tokens of ``layout``. Out: ``site`` with, beside its place, ``row`` (the storage row of the
    window's top, modulo ``rows``), ``column`` (``stride * x``, in padded coordinates), ``mask`` (which taps
    lie inside the image, ky-major) and ``release`` (rows free after it). ``done`` takes effect after
    ``RELEASE_DELAY``.

    Reading, one tap a time (``parallel=False``): ``read_row``, ``read_column`` (padded coordinate), ``read_word``
    to ``read_data``, two cycles later. All taps at once (``parallel=True``): ``read_row`` of the window's
    top and ``read_column`` of its left, to the taps' words, four cycles later; taps outside the image are garbage.

    II: the beats of a token; a site a cycle. Latency ``SITE_LATENCY``. At most ``FRAMES_AHEAD`` frames are begun
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
                "release": In(fields["release"]),
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
            m.d.sync += wrow.eq(_wrap(wrow + 1, g.rows))
        freed = delayed(m, Mux(self.done, self.release, 0), RELEASE_DELAY - 1, "freed")
        m.d.sync += held.eq(held + row_starts - freed)

        # the site side: whole rows of this frame that are written, and the site to offer next
        lead = Signal(range(g.height + g.rows + 1))
        oy, ox = Signal(index_bits(g.out_height)), Signal(index_bits(g.out_width))
        top = Signal(index_bits(g.rows), init=-g.padding % g.rows)
        column = Signal(index_bits(g.width + 2 * g.padding))
        freed_rows = Signal(range(g.height + 1))
        need_y, need_x = Signal(index_bits(g.height)), Signal(index_bits(g.width))
        reach = g.kernel - 1 - g.padding
        closing, offer, there = Signal(), Signal(), Signal()
        last_x, last_y, full = Signal(), Signal(), Signal()
        m.d.comb += [
            need_y.eq(_at_most(oy * g.stride + reach, g.height - 1)),
            need_x.eq(_at_most(ox * g.stride + reach, g.width - 1)),
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
        m.d.comb += offer.eq(there & (~self.site.valid | self.site.ready))

        s = self.site.payload
        kept = Signal(signed(index_bits(g.height) + 2))
        # the rows before the next window's top, as far as they have begun (a stride may pass over rows)
        m.d.comb += kept.eq(_at_most((oy + 1) * g.stride - g.padding, need_y + 1) - freed_rows)
        m.d.comb += frames.o.ready.eq(offer & (closing | ~full))
        with m.If(self.site.ready):
            m.d.sync += self.site.valid.eq(0)
        ends_frame = Signal()
        m.d.comb += ends_frame.eq(offer & closing)
        m.d.sync += lead.eq(lead + row_ends - Mux(ends_frame, g.height, 0))
        with m.If(offer):
            m.d.sync += [
                self.site.valid.eq(1),
                s.end.eq(closing | ~full),
                s.y.eq(Mux(closing | ~full, 0, oy)),
                s.x.eq(Mux(closing | ~full, 0, ox)),
                s.row.eq(top),
                s.column.eq(column),
                s.mask.eq(self._mask(oy, ox)),
                s.release.eq(0),
            ]
            with m.If(closing):
                m.d.sync += [
                    s.release.eq(g.height - freed_rows),
                    freed_rows.eq(0),
                    closing.eq(0),
                    top.eq(_wrap(top + _frame_turn(g), g.rows)),
                ]
            with m.Elif(full):
                m.d.sync += [ox.eq(ox + 1), column.eq(column + g.stride)]
                with m.If(last_x):
                    m.d.sync += [ox.eq(0), column.eq(0)]
                    with m.If(last_y):
                        # every row that has begun; what no window needs is freed with the end
                        begun = need_y + 1
                        m.d.sync += [oy.eq(0), closing.eq(1), s.release.eq(begun - freed_rows), freed_rows.eq(begun)]
                    with m.Else():
                        m.d.sync += [oy.eq(oy + 1), top.eq(_wrap(top + g.stride, g.rows))]
                        with m.If(kept > 0):
                            m.d.sync += [s.release.eq(kept), freed_rows.eq(freed_rows + kept)]

        (self._all_taps if self.parallel else self._one_tap)(m, beat & ~p.end, wrow, x, word)
        return m

    def _mask(self, oy: Value, ox: Value) -> Value:
        g = self.geometry
        inside_y = [_inside(oy, k, g.height, g) for k in range(g.kernel)]
        inside_x = [_inside(ox, k, g.width, g) for k in range(g.kernel)]
        return Cat(row & col for row in inside_y for col in inside_x)

    def _one_tap(self, m: Module, put: Value, wrow: Value, x: Value, word: Value) -> None:
        g = self.geometry
        _, depth = g.banks(False)
        m.submodules.rows = rows = self._memory(depth)
        write, read = rows.write_port(), rows.read_port()
        place = Signal(index_bits(depth))
        row = Array(Const(n * g.width * g.words, index_bits(depth)) for n in range(g.rows))
        m.d.comb += [
            write.addr.eq(row[wrow] + times(x, g.words) + word),
            write.data.eq(self.i.payload.features.as_value()),
            write.en.eq(put),
            read.addr.eq(place),
            self.read_data.eq(read.data),
        ]
        m.d.sync += place.eq(row[self.read_row] + times(self.read_column - g.padding, g.words) + self.read_word)

    def _all_taps(self, m: Module, put: Value, wrow: Value, x: Value, word: Value) -> None:
        """Banks by row and by column: whatever the window's place, its taps lie in different banks."""
        g = self.geometry
        bits = g.columns.bit_length() - 1
        _, depth = g.banks(True)
        left, row = Signal(signed(len(self.read_column) + 1)), Signal.like(self.read_row)
        m.d.comb += left.eq(self.read_column - g.padding)
        places = []
        for bank in range(g.columns):
            # the one column of the window's span that falls in this bank
            place = Signal(index_bits(depth), name=f"place{bank}")
            index = (left >> bits) + (Const(bank, bits + 1) < left[:bits] if bits else 0)
            m.d.sync += place.eq(times(index, g.words) + self.read_word)
            places.append(place)
        m.d.sync += row.eq(self.read_row)
        turn = Signal(max(1, bits))
        m.d.sync += turn.eq(left[:bits] if bits else 0)
        words: list[list[Value]] = []
        for r in range(g.rows):
            words.append([])
            for c in range(g.columns):
                m.submodules[f"bank{r}_{c}"] = bank = self._memory(depth)
                write, read = bank.write_port(), bank.read_port()
                m.d.comb += [
                    write.addr.eq(times(x >> bits, g.words) + word),
                    write.data.eq(self.i.payload.features.as_value()),
                    write.en.eq(put & (wrow == r) & (x[:bits] == c if bits else 1)),
                    read.addr.eq(places[c]),
                ]
                words[r].append(read.data)
        row, turn = delayed(m, row, 1, "row"), delayed(m, turn, 1, "turn")
        lines: list[list[Signal]] = []
        for ky in range(g.kernel):
            lines.append([])
            for c in range(g.columns):
                line = Signal(self.word_width, name=f"line{ky}_{c}")
                choices = Array(words[(n + ky) % g.rows][c] for n in range(g.rows))
                m.d.sync += line.eq(choices[row])
                lines[ky].append(line)
        turn = delayed(m, turn, 1, "turned")
        taps = []
        for ky in range(g.kernel):
            for kx in range(g.kernel):
                tap = Signal(self.word_width, name=f"tap{ky}_{kx}")
                m.d.sync += tap.eq(Array(lines[ky][(n + kx) % g.columns] for n in range(g.columns))[turn])
                taps.append(tap)
        m.d.comb += self.read_data.eq(Cat(taps))

    def _memory(self, depth: int) -> memory.Memory:
        attrs = {"ram_style": "block" if store_is_block(depth, self.word_width) else "distributed"}
        return memory.Memory(shape=unsigned(self.word_width), depth=depth, init=[], attrs=attrs)


def _wrap(value: Value, modulus: int) -> Value:
    """``value`` modulo ``modulus``, for values below twice it."""
    return Mux(value >= modulus, value - modulus, value)


def _frame_turn(g: WindowGeometry) -> int:
    """From the storage row of the last window's top to that of the next frame's first."""
    return (g.height - g.stride * (g.out_height - 1)) % g.rows


def _at_most(value: Value, limit: int) -> Value:
    return Mux(value > limit, limit, value)


def _inside(index: Value, k: int, side: int, g: WindowGeometry) -> Value:
    """Whether tap ``k`` of output ``index`` lies inside an input ``side`` long."""
    first = max(0, -(-(g.padding - k) // g.stride))
    last = (side - 1 + g.padding - k) // g.stride
    return (index >= first) & (index <= last)


def _taps_by_row(g: WindowGeometry) -> list[list[int]]:
    """How many taps of each output site of the dense frame lie inside the image."""

    def seen(side: int, out: int) -> list[int]:
        starts = [g.stride * n - g.padding for n in range(out)]
        return [sum(0 <= start + k < side for k in range(g.kernel)) for start in starts]

    columns = seen(g.width, g.out_width)
    return [[rows * inside for inside in columns] for rows in seen(g.height, g.out_height)]


def dense_taps(g: WindowGeometry) -> Sequence[int]:
    """How many output sites of the dense frame see j taps inside the image, for j from 0 to k*k."""
    histogram = [0] * (g.taps + 1)
    for sites in _taps_by_row(g):
        for taps in sites:
            histogram[taps] += 1
    return histogram


def spare_rows(g: WindowGeometry, cycles: Callable[[int], int]) -> int:
    """Rows to keep in addition, so that the delays around the storage never slow the op down.

    ``cycles``: of a site, by its active taps. A row of windows that is done frees rows; the input of the row of windows
    after the next goes there, and that row's last windows wait for the last of it. All of this must fit into the time
    of two rows of windows. Where rows are long against the delays it does, and none is kept.
    """
    row = g.width * g.words
    adds = g.stride * row if g.out_height > 1 else g.height * row + 1
    waiting = max(1, sum(x * g.stride + g.kernel - 1 - g.padding >= g.width - 1 for x in range(g.out_width)))
    steps = [[cycles(taps) for taps in sites] for sites in _taps_by_row(g)]
    late = RELEASE_DELAY + adds + SITE_LATENCY + max(sum(sites[-waiting:]) for sites in steps)
    return max(0, -(-(late - 2 * max(adds, min(map(sum, steps)))) // row))
