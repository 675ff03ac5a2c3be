"""What token buffers and sliding-window generators take: their memories, and the search for active windows."""

from __future__ import annotations

from functools import cache

from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, decoded_select, index, lut_memory, written_block
from hw.line_buffer.site_bitmap import word_bits
from hw.line_buffer.sparse_sliding_window import FRAME_BITS, LIST_LATENCY
from hw.line_buffer.token_buffer import (
    FRAMES_AHEAD,
    RELEASE_DELAY,
    WindowGeometry,
    store_is_block,
    tap_conditions,
    token_slots,
)
from hw.resources.streams import place_bits, queue
from hw.streams.layout import TokenLayout


@cache
def token_buffer(f: FpgaFamily, layout: TokenLayout, steps: int) -> tuple[ResourceEstimate, ...]:
    """A token buffer. Terms: one, bits of the slot and word counters.

    Parameters
        f          the device's family
        layout     layout of the input
        steps      the fewest cycles that the op works on a token
    """
    words, bits = layout.beats_per_token, layout.lanes * layout.dtype.width
    slots = token_slots(words, steps)
    site = 1 + place_bits(layout)
    slot, word, level = index(slots), index(words), slots.bit_length()
    tokens = word_memory(f, slots * words, bits)
    lut, registers = lut_memory(f, slots, site)
    ff = 2 * slot + word + 2 * level + index(slots * words) + RELEASE_DELAY - 1
    counts = 2 * slot + word + 2 * level
    return (ResourceEstimate("token_source", (1.0, counts), lut + tokens.lut, ff + registers + tokens.ff, tokens.bram),)


@cache
def sliding_window(
    f: FpgaFamily, layout: TokenLayout, g: WindowGeometry, parallel: bool
) -> tuple[ResourceEstimate, ...]:
    """A sliding-window generator for dense frames.

    Terms: one, bits of its counters, different bits of the mask, bits of addresses.

    Parameters
        f          the device's family
        layout     layout of the input
        g          the window, with the rows to store
        parallel   whether all taps of a window are read at once
    Returns        the generator, its queue of frames, and its ``banks`` where ``parallel``
    """
    row, column, level = index(g.rows), column_bits(g, False), g.rows.bit_length()
    places = index(g.words) + index(g.width) + 2 * row + index(g.out_height) + index(g.out_width) + column
    levels = level + index(g.height + g.rows + 1) + index(g.height) + index(g.width)
    ff = 2 + places + levels + (RELEASE_DELAY - 1) * level
    rows = line_buffer(f, layout, g, parallel, 1)
    terms = (1.0, places + levels, tap_conditions(g), *rows.terms)
    source = rows._replace(terms=terms, ff=ff + rows.ff), queue(f, 1, FRAMES_AHEAD)
    return (*source, banks(f, layout, g)) if parallel else source


def column_bits(g: WindowGeometry, finds_sites: bool) -> int:
    """Bits of the registers of a window's first column.

    Parameters
        g              the window
        finds_sites    whether the generator finds its sites; the column is then a site's number, shifted by the stride
    """
    return index(g.padded_width) - ((g.x.stride - 1).bit_length() if finds_sites else 0)


@cache
def word_memory(f: FpgaFamily, depth: int, bits: int) -> ResourceEstimate:
    """The memory of a source with its output register, as a part without ``kind`` and ``terms``.

    Parameters
        f          the device's family
        depth      words
        bits       bits of a word
    """
    if store_is_block(depth, bits):
        return written_block(f, depth, bits)
    if depth == 1:
        # Yosys makes registers of a memory without address, also where it is said to be in LUTs
        return ResourceEstimate("", ff=2 * bits)
    lut, ff = lut_memory(f, depth, bits, forced=True)
    return ResourceEstimate("", lut=lut, ff=ff + bits)


def line_buffer(
    f: FpgaFamily, layout: TokenLayout, g: WindowGeometry, parallel: bool, row_fields: int
) -> ResourceEstimate:
    """The line buffer and its reading, without ``banks``. Term: bits of addresses.

    Parameters
        f             the device's family
        layout        layout of the input
        g             the window, with the rows to store
        parallel      whether all taps of a window are read at once
        row_fields    numbers of stored rows that a site carries: 1, or one for each row of the window
    """
    bits = layout.lanes * layout.dtype.width
    count, depth = g.banks(parallel)
    one = word_memory(f, depth, bits)
    address = index(depth)
    if parallel:
        turn = g.columns.bit_length() - 1
        ff = g.columns * address + 2 * row_fields * index(g.rows) + 3 * turn + bits * (g.y.kernel * g.columns + g.taps)
        addresses = (1 + g.columns) * address
    else:
        ff, addresses = address, 2 * address
    # sums of a row's first address, a token's, and the word's
    addresses *= (not parallel) + (g.words > 1) + g.words.bit_count()
    return ResourceEstimate("window_source", (addresses,), count * one.lut, ff + count * one.ff, count * one.bram)


def banks(f: FpgaFamily, layout: TokenLayout, g: WindowGeometry) -> ResourceEstimate:
    """What a line buffer read at all taps has beyond one bank. Terms: write enables of banks, LUTs of multiplexers.

    Parameters
        f          the device's family
        layout     layout of the input
        g          the window, with the rows to store
    """
    # a bank is written where its row's enable and its column's are high
    enables = (1 + g.rows) * (1 + g.columns) - 1
    lines, taps = g.y.kernel * g.columns * decoded_select(f, g.rows), g.taps * decoded_select(f, g.columns)
    return ResourceEstimate("banks", (enables, layout.lanes * layout.dtype.width * (lines + taps)))


@cache
def sparse_sliding_window(
    f: FpgaFamily, layout: TokenLayout, g: WindowGeometry, parallel: bool
) -> tuple[ResourceEstimate, ...]:
    """A sliding-window generator for sparse frames.

    Terms: one, bits of counters and of cells, bits of the places of stored rows, rows of all windows times bits of
    their number, stored rows times taps, and those of ``site_bitmap``.

    Parameters
        f          the device's family
        layout     layout of the input
        g          the window, with the rows to store
        parallel   whether all taps of a window are read at once
    Returns        the search for sites, the line buffer, the lists of cells, and ``banks`` where ``parallel``
    """
    row, column, level = index(g.rows), column_bits(g, True), g.rows.bit_length()
    y, x, ahead = index(g.height), index(g.width), FRAMES_AHEAD.bit_length()
    cells_wide = g.out_width + sum(g.dummy_columns)
    cell_bits = 1 + index(g.out_height) + index(cells_wide)
    # of what is left of the rows and frames that may be held, one is the sign
    places = 2 * index(g.words) + 2 * y + x + 2 * row + 2 * FRAME_BITS + 2 * ahead + 2
    # the beat that came, the place seen last on its way, and the cells that lie before it
    ff = places + 6 + layout.lanes * layout.dtype.width + LIST_LATENCY * (1 + y + x) + LIST_LATENCY - 1
    ff += 2 * g.out_height.bit_length() + cells_wide.bit_length()
    ff += 2 * cell_bits + 2 + 3 * g.y.stride * (cell_bits + 1) + level
    ff += g.rows * (2 + FRAME_BITS + index(g.height + g.y.before) + g.y.kernel + g.x.kernel)
    ff += column
    lists = [queue(f, cell_bits, g.rows * cells_wide + FRAMES_AHEAD, registered=True)] * g.y.stride
    bitmap = site_bitmap(f, g)
    rows = line_buffer(f, layout, g, parallel, g.y.kernel)
    below = g.rows * index(g.height + g.y.before)
    counters, numbers = places + (2 + g.y.stride) * cell_bits, g.rows * g.y.kernel * row
    terms = (1.0, counters, below, numbers, g.rows * g.taps, *bitmap.terms)
    return (
        bitmap._replace(kind="sparse_source", terms=terms, ff=ff + bitmap.ff),
        rows._replace(terms=(0.0, 0.0, 0.0, *rows.terms)),
        *lists,
        *([banks(f, layout, g)] if parallel else []),
    )


def site_bitmap(f: FpgaFamily, g: WindowGeometry) -> ResourceEstimate:
    """The bitmap of the active sites of all stored rows, as a part without ``kind``.

    Terms: bits of its words with their flags, and bits of the multiplexers that select the columns of a window.

    Parameters
        f          the device's family
        g          the window, with the rows to store
    """
    wide = g.padded_width
    word = word_bits(wide, g.x.span)
    words = -(-wide // word)
    gathered = word + index(words) + 1
    if words == 1:
        # bits of the padding are never set
        live = min(word, 1 << index(g.width))
        terms = (g.rows * (word + live), g.rows * g.x.kernel * live / g.x.stride)
        return ResourceEstimate("", terms, ff=gathered + g.rows * wide)
    lut = ff = 0.0
    for depth in ((words + 1) // 2, words // 2):
        one, registers = lut_memory(f, depth, word, forced=True)
        lut, ff = lut + g.rows * one, ff + g.rows * registers
    terms = (2 * g.rows * (words + 3), g.rows * g.x.kernel * (2 * word / g.x.stride + 2))
    return ResourceEstimate("", terms, lut, gathered + g.rows * words + ff)
