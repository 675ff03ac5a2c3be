"""Where an op's input is stored until it is used: what all site generators share, and the token buffer.

A site generator writes the input stream into memory and offers *sites* in raster order, each as soon as no later token
can change it. While the sequencer works on a site, it reads the site's words by address. The storage of a site is free
two cycles after the last step that reads it.

``TokenBuffer`` (kernel 1, stride 1) stores a few tokens. The sliding-window generators (kernel or stride above 1) store
so many rows that the next ones can be filled while a window is read. In steady state neither side waits for the other.
Where every site is active, ``sliding_window.SlidingWindow`` counts its sites; otherwise
``sparse_sliding_window.SparseSlidingWindow`` finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.choice import times
from hw.streams.layout import TokenLayout, index_bits
from hw.streams.stream import delay_line
from models.ir.window import Axis, Window

RELEASE_DELAY = 2
"""Cycles from the last step of a site until its storage can be written: the read of that step comes first."""

SITE_LATENCY = 3
"""Cycles from the input beat that completes a site to the first step on it; two of them are in the sequencer."""

SPARSE_SITE_LATENCY = 8
"""The same for the sparse generator: the beat, its list, the list's head, the choice of a site, its rows, its taps."""


def read_latency(parallel: bool) -> int:
    """Cycles from a site generator's read ports to the words: address and memory; for all taps also two multiplexers.

    Parameters
        parallel   whether all taps of a window are read at once
    """
    return 4 if parallel else 2


FRAMES_AHEAD = 6
"""Frames that a sliding-window generator accepts before the first of them is finished; empty ones last one cycle."""

LUT_STORE_BITS = 8192
"""A site generator's memory with more bits than this, and with 64 words or more, is block memory."""


def store_is_block(depth: int, width: int) -> bool:
    """Whether a site generator's memory is block memory.

    Parameters
        depth      words
        width      bits of a word
    """
    return depth >= 64 and depth * width > LUT_STORE_BITS


@dataclass(frozen=True)
class WindowGeometry:
    """A sliding window over frames of tokens, and the rows that are stored for it.

    Parameters
        height     rows of the input frame
        width      columns of the input frame
        words      memory words per token
        window     the window
        spare      rows stored beyond those that the windows need; see ``spare_rows``
    """

    height: int
    width: int
    words: int
    window: Window
    spare: int = 0

    @property
    def y(self) -> Axis:
        """The window along the rows."""
        return self.window.y

    @property
    def x(self) -> Axis:
        """The window along the columns."""
        return self.window.x

    @property
    def out_height(self) -> int:
        """Rows of the output frame."""
        return self.y.outputs(self.height)

    @property
    def out_width(self) -> int:
        """Columns of the output frame."""
        return self.x.outputs(self.width)

    @property
    def padded_width(self) -> int:
        """Columns of the input frame and of zeros beside it."""
        return self.x.padded(self.width)

    @property
    def rows(self) -> int:
        """Input rows that are stored.

        They hold a window and the rows that the next window adds, with those that the stride skips. Where that is
        more, they hold the last window of a frame and everything that the first window of the next frame needs.
        """
        y = self.y
        skipped_rows = max(0, y.stride - y.span)
        last_window = self.height - (y.stride * (self.out_height - 1) - y.before)
        return max(y.span + y.stride + skipped_rows, last_window + y.span - y.before) + self.spare

    @property
    def columns(self) -> int:
        """Column banks when all taps are read at once: the columns that a window spans, or the next power of two."""
        return 1 << (self.x.span - 1).bit_length()

    @property
    def taps(self) -> int:
        """Kernel positions of a window."""
        return self.window.taps

    @property
    def dummy_columns(self) -> tuple[int, int]:
        """Dummy columns of cells left and right of the output, 0 or 1 each, for the input sites beyond all cells."""
        x = self.x
        return int(x.cell_offset > 0), int(x.stride * self.out_width + x.cell_offset < self.width)

    def banks(self, parallel: bool) -> tuple[int, int]:
        """The (number of memories, depth of each).

        Parameters
            parallel   whether all taps of a window are read at once
        """
        if not parallel:
            return 1, self.rows * self.width * self.words
        return self.rows * self.columns, -(-self.width // self.columns) * self.words


ROW_DELAY = RELEASE_DELAY + SPARSE_SITE_LATENCY - 2
"""Cycles from the site that frees a stored row to the site that the next tokens of that row complete.

The cycles in which these tokens arrive are not counted.
"""


def token_slots(words: int, site_cycles: int) -> int:
    """Tokens that a ``TokenBuffer`` stores, so that storage never slows it down; one place is for ``end``.

    Parameters
        words          memory words per token
        site_cycles    the fewest cycles of a site
    Returns            a power of two
    """
    tokens = 1 - (-(words + site_cycles + RELEASE_DELAY + SITE_LATENCY) // site_cycles)
    return 1 << (max(2, tokens) - 1).bit_length()


def wrap(value: Value, modulus: int) -> Value:
    """A value modulo a constant, for values below twice the constant.

    Parameters
        value      unsigned, below ``2 * modulus``
        modulus    the constant
    """
    return Mux(value >= modulus, value - modulus, value)


def clamp(value: Value, limit: int) -> Value:
    """A value, or a constant where the value is larger.

    Parameters
        value      any number
        limit      the constant
    """
    return Mux(value > limit, limit, value)


def site_layout(height: int, width: int, fields: dict[str, int]) -> data.StructLayout:
    """The fields of an output site: its place, ``end`` at the end of a frame, and what addresses its words.

    Parameters
        height     rows of the output frame
        width      columns of the output frame
        fields     bits of each further field, by name
    """
    base = {"end": 1, "y": index_bits(height), "x": index_bits(width)}
    return data.StructLayout({name: unsigned(bits) for name, bits in {**base, **fields}.items()})


class TokenBuffer(wiring.Component):
    """Token buffer: stores whole tokens, each of which is a site.

    Parameters
        layout         layout of the input
        site_cycles    the fewest cycles of a site
    Ports
        i            in, tokens of ``layout``
        site         out, a site: ``end``, ``y``, ``x`` and ``slot``, where its token is stored
        done         in, high when the last step of the oldest site is issued; frees its slot ``RELEASE_DELAY`` later
        read_slot    in, slot that is read
        read_word    in, word of the token that is read
        read_data    out, that word, 2 cycles later
    Timing
        II         1 beat per cycle; 1 site per cycle
        latency    1 cycle from a token's last beat to its site
    Reset          drops all tokens
    """

    def __init__(self, layout: TokenLayout, site_cycles: int) -> None:
        self.layout = layout
        self.words = layout.beats_per_token
        self.slots = token_slots(self.words, site_cycles)
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
        free = delay_line(m, self.done, RELEASE_DELAY - 1, "free")
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
    """By output row and column, how many taps of each site lie inside the frame."""
    columns = g.x.taps_inside(g.width)
    return [[rows * inside for inside in columns] for rows in g.y.taps_inside(g.height)]


def tap_conditions(g: WindowGeometry) -> int:
    """How many different bits the mask of a dense window has; taps that are inside for the same sites share one.

    Parameters
        g          the window
    """

    def conditions(axis: Axis, side: int) -> list[tuple[int, int]]:
        highest = (1 << (axis.outputs(side) - 1).bit_length()) - 1
        return [(max(0, first), min(last, highest)) for first, last in axis.outputs_seeing(side)]

    rows, columns = conditions(g.y, g.height), conditions(g.x, g.width)
    return len({(row, column) for row in rows for column in columns})


def dense_taps(g: WindowGeometry) -> Sequence[int]:
    """How many output sites have j taps inside the frame, for j from 0 to all taps, when every site is active.

    Parameters
        g          the window
    """
    histogram = [0] * (g.taps + 1)
    for sites in _taps_by_row(g):
        for taps in sites:
            histogram[taps] += 1
    return histogram


def spare_rows(g: WindowGeometry, cycles: Callable[[int], int], site_latency: int = SITE_LATENCY) -> int:
    """Rows to store in addition, so that the delays of the storage never slow down the op.

    A row of windows that is done frees rows. The input of the row of windows after the next goes there, and the last
    windows of that row wait for the last of this input. All of this must fit into the time of two rows of windows.
    Where rows are long compared with the delays it fits, and no row is added.

    Parameters
        g               the window, without spare rows
        cycles          function from a site's active taps to its cycles
        site_latency    cycles from the input beat that completes a site to the first step on it
    """
    row_beats = g.width * g.words
    new_beats = g.y.stride * row_beats if g.out_height > 1 else g.height * row_beats + 1
    waiting_sites = max(1, sum(x * g.x.stride + g.x.below >= g.width - 1 for x in range(g.out_width)))
    site_cycles = [[cycles(taps) for taps in sites] for sites in _taps_by_row(g)]
    turnaround = RELEASE_DELAY + new_beats + site_latency + max(sum(sites[-waiting_sites:]) for sites in site_cycles)
    return max(0, -(-(turnaround - 2 * max(new_beats, min(map(sum, site_cycles)))) // row_beats))


def sparse_spare_rows(g: WindowGeometry, cycles: Callable[[int], int], parallel: bool) -> int:
    """Rows to store in addition for the sparse generator.

    They are enough for the dense frame. For rows with a single token they are as many as are cheap: such a row is done
    in the time of one site, but its storage is free only after the delays. At most two rows are added to hide that, or
    one where a row is several banks.

    Parameters
        g          the window, without spare rows
        cycles     function from a site's active taps to its cycles
        parallel   whether all taps of a window are read at once
    """
    max_spare = 1 if parallel else 2
    enough = (spare for spare in range(max_spare) if row_margin(replace(g, spare=spare), cycles(1)) >= 0)
    for_single_tokens = next(enough, max_spare)
    # a row of windows frees rows when its first site is complete: after so much of its last row, and the delays
    first_site = min(g.x.extent + 1, g.width) * g.words + ROW_DELAY
    for_first_site = -(-first_site // (g.width * g.words)) - 1
    return max(spare_rows(g, cycles, SPARSE_SITE_LATENCY), for_single_tokens, for_first_site)


def row_margin(g: WindowGeometry, site_cycles: int) -> int:
    """Cycles to spare before sparse windows wait for storage, when every row has one token; below 0 where they wait.

    Parameters
        g              the window
        site_cycles    cycles of a site
    """
    sites, rest = divmod(g.spare, g.y.stride)
    return (1 + sites) * site_cycles - ((g.y.stride - rest) * g.words + ROW_DELAY)
