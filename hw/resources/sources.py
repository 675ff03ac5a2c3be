"""What sources take: memories of tokens and of rows, and the finding of windows."""

from __future__ import annotations

from functools import cache

from hw.fabric import Family, Part, index, lut_memory, select, written_block
from hw.layout import TokenLayout
from hw.presence import word_bits
from hw.resources.streams import place_bits, queue
from hw.source import FRAMES_AHEAD, RELEASE_DELAY, WindowGeometry, store_is_block, tap_conditions, token_slots
from hw.sparse_source import FRAME_BITS, LIST_LATENCY


@cache
def token_source(f: Family, layout: TokenLayout, steps: int) -> tuple[Part, ...]:
    """Terms: one, bits of the slot and word counters."""
    words, bits = layout.beats_per_token, layout.lanes * layout.dtype.width
    slots = token_slots(words, steps)
    site = 1 + place_bits(layout)
    slot, word, level = index(slots), index(words), slots.bit_length()
    tokens = store(f, slots * words, bits)
    lut, registers = lut_memory(f, slots, site)
    ff = 2 * slot + word + 2 * level + index(slots * words) + RELEASE_DELAY - 1
    counts = 2 * slot + word + 2 * level
    return (Part("token_source", (1.0, counts), lut + tokens.lut, ff + registers + tokens.ff, tokens.bram),)


@cache
def window_source(f: Family, layout: TokenLayout, g: WindowGeometry, parallel: bool) -> tuple[Part, ...]:
    """Terms: one, bits of the counters, taps of the mask, bits of addresses, bits of selected words."""
    row, column, level = index(g.rows), column_bits(g, False), g.rows.bit_length()
    places = index(g.words) + index(g.width) + 2 * row + index(g.out_height) + index(g.out_width) + column
    levels = level + index(g.height + g.rows + 1) + index(g.height) + index(g.width)
    ff = 2 + places + levels + (RELEASE_DELAY - 1) * level
    rows = stored_rows(f, layout, g, parallel, 1)
    terms = (1.0, places + levels, tap_conditions(g), *rows.terms)
    return rows._replace(terms=terms, ff=ff + rows.ff), queue(f, 1, FRAMES_AHEAD)


def column_bits(g: WindowGeometry, found: bool) -> int:
    """Bits of a window's first column: of a site that was found its number, shifted, and else a counter."""
    return index(g.width + 2 * g.padding) - ((g.stride - 1).bit_length() if found else 0)


@cache
def store(f: Family, depth: int, bits: int) -> Part:
    """A source's memory, with the register at its output."""
    if store_is_block(depth, bits):
        return written_block(f, depth, bits)
    lut, ff = lut_memory(f, depth, bits, forced=True)
    return Part("", lut=lut, ff=ff + bits)


def stored_rows(f: Family, layout: TokenLayout, g: WindowGeometry, parallel: bool, row_fields: int) -> Part:
    """The memory of rows and its reading, by ``row_fields`` row numbers. Terms: the last three of a window source."""
    bits = layout.lanes * layout.dtype.width
    banks, depth = g.banks(parallel)
    one = store(f, depth, bits)
    address = index(depth)
    if parallel:
        turn = g.columns.bit_length() - 1
        ff = g.columns * address + 2 * row_fields * index(g.rows) + 3 * turn + bits * (g.kernel * g.columns + g.taps)
        picked = bits * (g.kernel * g.columns * select(f, g.rows) + g.taps * select(f, g.columns))
        addresses = (1 + g.columns) * address
    else:
        ff, picked, addresses = address, 0.0, 2 * address
    # sums of a row's first address, a token's, and the word's
    addresses *= (not parallel) + (g.words > 1) + g.words.bit_count()
    return Part("window_source", (addresses, banks, picked), banks * one.lut, ff + banks * one.ff, banks * one.bram)


@cache
def sparse_window_source(f: Family, layout: TokenLayout, g: WindowGeometry, parallel: bool) -> tuple[Part, ...]:
    """Terms: one, bits of counters and cells, of rows' places, rows in reach times bits of their number, rows times
    taps; those of ``presence``.
    """
    row, column, level = index(g.rows), column_bits(g, True), g.rows.bit_length()
    y, x, ahead = index(g.height), index(g.width), FRAMES_AHEAD.bit_length()
    cells_wide = g.out_width + sum(g.blanks)
    cell = 1 + index(g.out_height) + index(cells_wide)
    # of what is left of the rows and frames that may be held, one is the sign
    places = 2 * index(g.words) + 2 * y + x + 2 * row + 2 * FRAME_BITS + 2 * ahead + 2
    # the beat that came, the place seen last on its way, and the cells that lie before it
    ff = places + 6 + layout.lanes * layout.dtype.width + LIST_LATENCY * (1 + y + x) + LIST_LATENCY - 1
    ff += 2 * g.out_height.bit_length() + cells_wide.bit_length()
    ff += 2 * cell + 2 + 3 * g.stride * (cell + 1) + level
    ff += g.rows * (2 + FRAME_BITS + index(g.height + g.padding) + 2 * g.kernel)
    ff += column
    lists = [queue(f, cell, g.rows * cells_wide + FRAMES_AHEAD, registered=True)] * g.stride
    here = presence(f, g)
    rows = stored_rows(f, layout, g, parallel, g.kernel)
    below = g.rows * index(g.height + g.padding)
    terms = (1.0, places + (2 + g.stride) * cell, below, g.rows * g.kernel * row, g.rows * g.taps, *here.terms)
    return (
        here._replace(kind="sparse_source", terms=terms, ff=ff + here.ff),
        rows._replace(terms=(0.0, 0.0, 0.0, *rows.terms)),
        *lists,
    )


def presence(f: Family, g: WindowGeometry) -> Part:
    """The bits of the active sites of all rows. Terms: bits of words, set or not, with their flags, and of what a
    window's columns are chosen from.
    """
    wide = g.width + 2 * g.padding
    word = word_bits(wide, g.kernel)
    words = -(-wide // word)
    gathered = word + index(words) + 1
    if words == 1:
        # bits of the padding are never set
        live = min(word, 1 << index(g.width))
        terms = (g.rows * (word + live), g.rows * g.kernel * live / g.stride)
        return Part("", terms, ff=gathered + g.rows * wide)
    lut = ff = 0.0
    for depth in ((words + 1) // 2, words // 2):
        one, registers = lut_memory(f, depth, word, forced=True)
        lut, ff = lut + g.rows * one, ff + g.rows * registers
    terms = (2 * g.rows * (words + 3), g.rows * g.kernel * (2 * word / g.stride + 2))
    return Part("", terms, lut, gathered + g.rows * words + ff)
