"""Where an op's input lives until it is used: what all sources share, and the one that keeps single tokens.

A source takes the input stream into memory and offers *sites*, in raster order, as soon as no
later token can change them. The sequencer takes a site's words by address while it works on it;
the storage is free two cycles after the last step that reads it.

``TokenSource`` (kernel 1, stride 1) keeps a few tokens. Those of windows (kernel or stride above 1) keep so many rows
that the next ones can be filled while a window is read, so neither side waits in steady state: with every site
active ``window_source.WindowSource`` counts its sites, else ``sparse_source.SparseWindowSource`` finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.codes import times
from hw.layout import TokenLayout, index_bits
from hw.stream import delayed

RELEASE_DELAY = 2
"""Cycles from a site's last step to its storage being writable: the read of that step comes first."""

SITE_LATENCY = 3
"""Cycles from the input beat that completes a site to the first step on it; two of them are the sequencer's."""

SPARSE_SITE_LATENCY = 8
"""The same where sites are found: the beat, its list, the head of that, which site it is, its rows, its taps."""


def read_latency(parallel: bool) -> int:
    """Cycles from a source's read inputs to the words: address and memory; two turns more for all taps at once."""
    return 4 if parallel else 2


FRAMES_AHEAD = 6
"""Frames whose start a window source accepts before the first of them is finished: empty ones come one a cycle."""

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
    def cell_offset(self) -> int:
        """Where the cell of output site 0 starts in the input."""
        return (self.kernel - 1) // 2 - self.padding

    @property
    def reach(self) -> int:
        """Rows, and columns, from ``stride`` times an output site to the last of its window and of its cell."""
        return max(self.kernel - 1 - self.padding, self.cell_offset + self.stride - 1)

    @property
    def blanks(self) -> tuple[int, int]:
        """Columns of cells beyond the output, left and right, that hold input sites: 0 or 1 each, however wide."""
        return int(self.cell_offset > 0), int(self.stride * self.out_width + self.cell_offset < self.width)

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


ROW_DELAY = RELEASE_DELAY + SPARSE_SITE_LATENCY - 2
"""Cycles by which the storage of sparse windows comes round later than the sites that free it and fill it allow."""


def token_slots(words: int, steps: int) -> int:
    """Tokens a ``TokenSource`` keeps so that storage never limits a token of ``steps`` cycles; one is for ``end``."""
    need = 1 - (-(words + steps + RELEASE_DELAY + SITE_LATENCY) // steps)
    return 1 << (max(2, need) - 1).bit_length()


def wrapped(value: Value, modulus: int) -> Value:
    """``value`` modulo ``modulus``, for values below twice it."""
    return Mux(value >= modulus, value - modulus, value)


def at_most(value: Value, limit: int) -> Value:
    return Mux(value > limit, limit, value)


def site_layout(height: int, width: int, fields: dict[str, int]) -> data.StructLayout:
    """A site of the output: its place, ``end`` for the close of the frame, and what addresses its words."""
    base = {"end": 1, "y": index_bits(height), "x": index_bits(width)}
    return data.StructLayout({name: unsigned(bits) for name, bits in {**base, **fields}.items()})


class TokenSource(wiring.Component):
    """Keeps whole tokens; every token is a site.

    In: ``i``, tokens of ``layout``. Out: ``site``, with the ``slot`` its token is in; word ``read_word`` of the
    token in ``read_slot`` shows at ``read_data`` two cycles later. ``done`` frees the slot of the oldest site.
    ``steps`` is how long a site takes at least. II: the beats of a token. Latency 1.
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
            self.site.valid.eq(ready != 0),
            self.site.payload.end.eq(recall.data.end),
            self.site.payload.y.eq(recall.data.y),
            self.site.payload.x.eq(recall.data.x),
            self.site.payload.slot.eq(following),
            take.eq(self.site.valid & self.site.ready),
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
        with m.If(take):
            m.d.sync += following.eq(following + 1)
        return m


def _taps_by_row(g: WindowGeometry) -> list[list[int]]:
    """How many taps of each output site of the dense frame lie inside the image."""

    def seen(side: int, out: int) -> list[int]:
        starts = [g.stride * n - g.padding for n in range(out)]
        return [sum(0 <= start + k < side for k in range(g.kernel)) for start in starts]

    columns = seen(g.width, g.out_width)
    return [[rows * inside for inside in columns] for rows in seen(g.height, g.out_height)]


def tap_conditions(g: WindowGeometry) -> int:
    """How many of the bits that say which taps of a dense window lie inside the image differ from each other."""

    def conditions(side: int, out: int) -> list[tuple[int, int]]:
        highest = (1 << (out - 1).bit_length()) - 1
        bounds = [(-(-(g.padding - k) // g.stride), (side - 1 + g.padding - k) // g.stride) for k in range(g.kernel)]
        return [(max(0, first), min(last, highest)) for first, last in bounds]

    rows, columns = conditions(g.height, g.out_height), conditions(g.width, g.out_width)
    return len({(row, column) for row in rows for column in columns})


def dense_taps(g: WindowGeometry) -> Sequence[int]:
    """How many output sites of the dense frame see j taps inside the image, for j from 0 to k*k."""
    histogram = [0] * (g.taps + 1)
    for sites in _taps_by_row(g):
        for taps in sites:
            histogram[taps] += 1
    return histogram


def spare_rows(g: WindowGeometry, cycles: Callable[[int], int], site_latency: int = SITE_LATENCY) -> int:
    """Rows to keep in addition, so that the delays around the storage never slow the op down.

    ``cycles``: of a site, by its active taps. A row of windows that is done frees rows; the input of the row of windows
    after the next goes there, and that row's last windows wait for the last of it. All of this must fit into the time
    of two rows of windows. Where rows are long against the delays it does, and none is kept.
    """
    row = g.width * g.words
    adds = g.stride * row if g.out_height > 1 else g.height * row + 1
    waiting = max(1, sum(x * g.stride + g.kernel - 1 - g.padding >= g.width - 1 for x in range(g.out_width)))
    steps = [[cycles(taps) for taps in sites] for sites in _taps_by_row(g)]
    late = RELEASE_DELAY + adds + site_latency + max(sum(sites[-waiting:]) for sites in steps)
    return max(0, -(-(late - 2 * max(adds, min(map(sum, steps)))) // row))


def sparse_spare_rows(g: WindowGeometry, cycles: Callable[[int], int], parallel: bool) -> int:
    """The same where sites are found: enough for the dense frame, and as far as they are cheap for rows with one token.

    Such a row is done in the time of one site, but its storage comes round only after the delays. As many as
    would hide that are kept, at most two, or one where a row is several banks.
    """
    most = 1 if parallel else 2
    lonely = next((spare for spare in range(most) if row_margin(replace(g, spare=spare), cycles(1)) >= 0), most)
    # a row of windows frees rows when its first site is complete: so much of its last row comes first, and the delays
    first = min(g.reach + 1, g.width) * g.words + ROW_DELAY
    short = -(-first // (g.width * g.words)) - 1
    return max(spare_rows(g, cycles, SPARSE_SITE_LATENCY), lonely, short)


def row_margin(g: WindowGeometry, steps: int) -> int:
    """Cycles to spare before sparse windows wait for storage, with a token a row and sites that take ``steps``."""
    sites, rest = divmod(g.spare, g.stride)
    return (1 + sites) * steps - ((g.stride - rest) * g.words + ROW_DELAY)
