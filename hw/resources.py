"""What the parts of ops, and streams, take of a device, estimated from their parameters.

An op is a sum of parts, those of its component, which it lists itself: source, sequencer, weight memory, sums, drain,
output queue. Registers,
memories, products and DSP blocks are counted as the component has them; the LUTs of control logic are proportional
to a few counts (``hw.fabric``). A figure that is not known raises.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from hw.codes import FEW_DIGITS, STAGE_ROWS, lut_stages, mantissa_bits, signed_digits, signed_width, table_inputs
from hw.device import Device, Resources
from hw.fabric import (
    Family,
    Part,
    constant_block,
    decoder,
    distinct,
    dsp_blocks,
    encoder,
    family,
    index,
    joined_bits,
    looked_up,
    lut_memory,
    mantissa_decoder,
    select,
    small_product,
    table,
    total,
    written_block,
)
from hw.layout import TokenLayout, index_bits
from hw.mac import Products, Sums, tree_stages
from hw.mapping import Memory, Multiplier
from hw.packing import TREE_RADIX
from hw.presence import word_bits
from hw.requantizer import biased_width, drain_latency, narrow_width
from hw.sequencer import Rounds
from hw.source import FRAMES_AHEAD, RELEASE_DELAY, WindowGeometry, store_is_block, tap_conditions, token_slots
from hw.sparse_source import FRAME_BITS, LIST_LATENCY
from hw.stream import BLOCK_DEPTH
from models.ir.accumulator import width
from models.ir.dtype import DType, DyBitType
from models.ir.graph import MULT_BITS, Requant

REQUANTS_KEPT = 4096
"""How many nodes' requantize constants are remembered in short."""

FEW_WORDS = 16
"""Words of which some bits are likely the same in all, or the same as others."""

FEW_MULTS = 4
"""Multipliers in turn of which most bits are likely the same."""

CONSTANT_BITS = 3
"""Bits of a product with a constant that are constant or copies of others."""


def queue_resources(layout: TokenLayout, depth: int, device: Device) -> Resources:
    """A queue of ``depth`` beats on an edge."""
    f = family(device)
    return total(f, [queue(f, layout.width, depth)])


def fork_resources(layout: TokenLayout, ways: int, device: Device) -> Resources:
    """A fork; the payload is only wires."""
    f = family(device)
    return total(f, [Part("fork", (1.0, ways), ff=ways)])


def converter_resources(layout: TokenLayout, o_lanes: int, device: Device) -> Resources:
    """One step from ``layout`` to ``o_lanes`` lanes."""
    f = family(device)
    return total(f, [converter_part(layout, o_lanes)])


def place_bits(layout: TokenLayout) -> int:
    """Bits of y and x that are not always 0."""
    return index(layout.shape.height) + index(layout.shape.width)


def weight_bits(spec: Sums, memory: Memory, count: int, words: Callable[[], np.ndarray]) -> int:
    """Bits of one of ``count`` weight ``words`` (weights by word and lane) that Yosys keeps.

    In memory it leaves out those that are the same in all words; in LUTs also those that are the same as others.
    """
    if count > FEW_WORDS or spec.weights is None:
        return spec.weight_bits
    codes = spec.weights.encode(words())
    if memory is Memory.LUT:
        return max(1, distinct(codes, spec.weights.width))
    changes = np.bitwise_or.reduce(codes ^ codes[0], axis=0)
    return max(1, int(np.bitwise_count(changes).sum()))


def odd(factor: int) -> int:
    """A factor without its powers of two, which are wires."""
    return factor // (factor & -factor) if factor else 0


@cache
def queue(f: Family, bits: int, depth: int, registered: bool = False) -> Part:
    """Terms: one, bits of the pointers, bits of pointers that wrap, bits of the level."""
    pointers, level = 2 * index(depth), depth.bit_length()
    terms = (1.0, pointers, pointers if depth & (depth - 1) else 0, level)
    ff = pointers + level
    if depth > BLOCK_DEPTH:
        store = written_block(f, depth, bits)
        return Part("queue", terms, store.lut, ff + 1 + store.ff, store.bram)
    lut, registers = lut_memory(f, depth, bits)
    return Part("queue", terms, lut, ff + registers + (1 + bits if registered else 0))


def output(f: Family, layout: TokenLayout, depth: int, batch: int = 1) -> tuple[Part, Part]:
    """Terms: one, bits of the room, of features, which ``end`` makes 0."""
    room = 1 + max(batch - 1, depth - batch).bit_length()
    features = layout.lanes * layout.dtype.width
    return queue(f, 1 + place_bits(layout) + features, depth), Part("output", (1.0, room, features), ff=room + 1)


@cache
def store(f: Family, depth: int, bits: int) -> Part:
    """A source's memory, with the register at its output."""
    if store_is_block(depth, bits):
        return written_block(f, depth, bits)
    lut, ff = lut_memory(f, depth, bits, forced=True)
    return Part("", lut=lut, ff=ff + bits)


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


@cache
def sequencer(rounds: Rounds, site: int) -> Part:
    """``site``: bits of one. Terms: one, bits of the counters, of a site, taps that are walked."""
    counts = index(rounds.groups) + index(rounds.words)
    counts += index(rounds.end_apart if rounds.whole_frame else rounds.beats)
    taps = rounds.kernel**2 if rounds.kernel else 0
    return Part("sequencer", (1.0, counts, site, taps), ff=counts + taps + 2 * site + 4)


@cache
def weights(f: Family, bits: int, words: int, memory: Memory, address: int) -> tuple[Part, ...]:
    """``address``: bits of registers that hold addresses."""
    if words == 1:
        return ()
    if memory is Memory.BRAM:
        block = constant_block(f, words, bits)
        return (block._replace(kind="weights", ff=block.ff + address),)
    return (Part("weights", lut=table(f, words, bits), ff=address + bits),)


def adders(terms: int, bits: int, stages: int = 0) -> np.ndarray:
    """Of the registered sum of ``terms`` numbers of ``bits`` bits, in ``stages`` stages if fewer would do: bits of
    sums of two, of three and of four, and registers.
    """
    totals, ff, stage = [0, 0, 0], 0, 0
    while terms > 1 or stage < stages:
        full, rest = divmod(terms, TREE_RADIX)
        totals[2] += full * bits
        if rest > 1:
            totals[rest - 2] += rest and bits
        terms, bits, stage = full + (rest > 0), bits + min(terms, TREE_RADIX) - 1, stage + 1
        ff += terms * bits
    return np.array([*totals, ff])


def tree(s: Sums) -> np.ndarray:
    """``adders`` of all lanes."""
    feature = signed_width(s.features)
    if s.weights is None:
        return s.pe * adders(s.terms, feature)
    product, packing = s.product_width, s.packing
    if packing is None:
        found = s.pe * adders(s.terms, product)
        found[3] += s.pe * carry_registers(s.terms) * s.carried
        return found
    found = np.zeros(4, dtype=int)
    whole, rest = divmod(s.terms, packing.summed)
    parts, stages = whole + (rest > 0), tree_stages(packing.summed)
    for lanes in packing.groups(s.pe):
        bits = (len(lanes) - 1) * packing.bits + product
        found += whole * adders(packing.summed, bits, stages) + (rest > 0) * adders(rest, bits, stages)
        found += (len(lanes) - 1) * adders(parts, packing.bits) + adders(parts, product + stages)
        found[3] += (len(lanes) - 1) * carry_registers(parts)
    return found


def carry_registers(terms: int) -> int:
    """Bits of one carry a term that wait for an adder in a tree of ``terms`` numbers."""
    waiting = 0
    carries = terms
    while terms > 1:
        after = -(-terms // TREE_RADIX)
        carries -= terms - after
        waiting, terms = waiting + carries, after
    return waiting


def of_luts(f: Family, s: Sums, less: float) -> Part:
    """Products in LUTs, of which ``less`` are left. Terms: those of ``of_blocks``; of chosen ones bits of multiples, of
    what is shifted, products, bits of triple features; of shifted ones bits of rows, of what is shifted by how many
    places, products.
    """
    assert s.weights is not None
    macs = less * s.pe * s.terms
    digits, places = mantissa_bits(s.weights)
    if s.products is Products.TABLE:
        looked = sum(looked_up(f, n) for n in table_inputs(s.features, s.weights))
        return Part("products", (0.0, 0.0, 0.0, 0.0, macs * looked))
    if s.products is Products.CHOSEN:
        wide = signed_width(s.features)
        tripled = s.taps * s.simd * (wide + 1) if digits == FEW_DIGITS else 0
        return Part("chosen", (macs * (wide + digits - 1), macs * s.product_width * (places > 0), macs, tripled))
    if s.products is Products.SHIFTED:
        shorter, longer = sorted((signed_digits(s.weights), signed_digits(s.features)))
        return Part("shifted", (macs * ((shorter + 1) // 2) * longer, macs * s.product_width * places_width(s), macs))
    shorter, longer = sorted((signed_width(s.features), signed_width(s.weights)))
    return Part("products", (macs * ((shorter + 1) // 2 - 1) * longer, macs * longer, macs, 0.0, 0.0))


def places_width(s: Sums) -> int:
    """Bits of the places by which a product of mantissas is shifted."""
    assert s.weights is not None
    one, other = (mantissa_bits(dtype)[1] for dtype in (s.features, s.weights))
    return max(one, other) + (one > 0 < other)


def operand_bits(products: Products, dtype: DType, *, feature: bool) -> int:
    """Bits of the registers of a feature or a weight before it is multiplied."""
    if products is Products.TABLE:
        return dtype.width
    if products is Products.SHIFTED or (products is Products.CHOSEN and not feature):
        return sum(mantissa_bits(dtype)) + (isinstance(dtype, DyBitType) and dtype.signed)
    return dtype.decoded_width if feature else signed_width(dtype)


def coded(f: Family, products: Products, dtype: DType, *, feature: bool) -> float:
    """LUTs between the code of a feature or a weight and those registers."""
    if products is Products.TABLE:
        return 0.0
    if products is Products.SHIFTED or (products is Products.CHOSEN and not feature):
        return mantissa_decoder(f, dtype)
    return decoder(f, dtype)


def waiting_bits(s: Sums, share: float) -> float:
    """Bits of the registers inside the products of all lanes. ``share``: of the bits of weights that differ."""
    assert s.weights is not None
    macs, lanes = s.pe * s.terms, s.taps * s.simd
    if s.products is Products.SHIFTED:
        feature, weight = (signed_digits(dtype) for dtype in (s.features, s.weights))
        stages = lut_stages(feature, weight)
        signs = any(dtype.signed and isinstance(dtype, DyBitType) for dtype in (s.features, s.weights))
        ff = macs * (feature + weight + stages * places_width(s) + (stages - 1) * signs)
    elif s.products is Products.ROWS:
        feature, weight = signed_width(s.features), signed_width(s.weights)
        stages, ff = s.product_stages, 0.0
    else:
        return float(macs * s.carried)
    for stage in range(1, stages):
        # what waits between the rows of a product: its sum so far, the wider operand and the rest of the other
        done = 2 * STAGE_ROWS * stage
        rest = min(feature, weight) - done + 1
        by_feature, by_weight = (feature, rest) if feature >= weight else (rest, weight)
        ff += macs * (max(feature, weight) + done + by_weight * share) + lanes * by_feature
    return ff


def of_blocks(f: Family, s: Sums, spans: list[int], less: float) -> Part:
    """Products in DSP blocks, each of a feature and so many bits of weights. Terms of products: for those in LUTs bits
    of rows after the first and of the first, and how many they are; bits of adders that join DSP blocks of a
    product; LUTs of tables.
    """
    feature, blocks, joined, lut = signed_width(s.features), 0, 0, 0.0
    for span in spans:
        found = dsp_blocks(f, span, feature)
        blocks += found
        joined += joined_bits(f, span, feature)
        if not found:
            lut += less * small_product(f, s.features.decoded_width, span)
    return Part("products", (0.0, 0.0, 0.0, s.terms * joined, 0.0), s.terms * lut, dsp=s.terms * blocks)


@cache
def sums(f: Family, s: Sums, words: int, bits: int, memory: Memory, masked: bool) -> tuple[Part, ...]:
    """``words``: of weights; where there is one, they never change; ``bits``: those of a word that differ. Terms of
    accumulators: their bits, and of those that pay back what a field borrowed; of operands: LUTs of decoders, taps that
    may not count, bits of packed weights.
    """
    lanes = s.taps * s.simd
    chain = s.latency - 1
    if s.largest:
        bits, left, pairs, kept = s.features.width, s.taps, 1, s.taps + 1
        while left > 1:
            after = -(-left // TREE_RADIX)
            pairs, kept, left = pairs + left - after, kept + after, after
        key = s.taps * bits * (masked or s.features.signed)
        return (Part("maxima", (s.pe * pairs * bits, s.pe * key), ff=s.pe * kept * bits + chain),)
    held, decoders, borrows = s.features.decoded_width, lanes * decoder(f, s.features), 0.0
    if s.products is not None:
        held = operand_bits(s.products, s.features, feature=True)
        decoders = lanes * coded(f, s.products, s.features, feature=True)
    ff = lanes * held + chain
    borrowed = 0
    parts = []
    if s.weights is not None and s.products is not None:
        weight, macs = signed_width(s.weights), s.pe * s.terms
        groups = s.packing.groups(s.pe) if s.packing else [range(1)] * s.pe
        spans = [(len(lanes) - 1) * s.packing.bits + weight if s.packing else weight for lanes in groups]
        # of few words, many bits of a weight are constant, or in LUTs copies of others
        share = bits / s.weight_bits if words > 1 else 0.0
        decoders += macs * coded(f, s.products, s.weights, feature=False) * share
        ff += macs * operand_bits(s.products, s.weights, feature=False) * share
        if s.packing is not None:
            # what a field borrows from the one above
            borrows = (s.pe - len(groups)) * s.terms * (weight + 1) * share
            ff += (s.pe - len(groups)) * s.terms * share
            borrowed = (s.pe - len(groups)) * s.width * (s.packing.summed >= s.terms)
        constant = CONSTANT_BITS if words == 1 else 0
        ff += s.terms * sum(s.product_width + span - weight - constant for span in spans)
        ff += waiting_bits(s, share)
        # few words leave less of a product
        less = (1 + share) / 2 if memory is Memory.BRAM else min(1.0, 0.25 + 0.15 * words)
        parts.append(of_luts(f, s, less) if s.multiplier is Multiplier.LUT else of_blocks(f, s, spans, less))
    parts.append(Part("operands", (decoders, s.taps if masked else 0, borrows)))
    *added, registers = tree(s).tolist()
    parts.append(Part("adders", tuple(added), ff=registers))
    return Part("accumulators", (s.pe * s.width, borrowed), ff=ff + s.pe * s.width), *parts


class Constants(NamedTuple):
    """What a requantizer's constants are: by beat (bits of biases and of multipliers that differ from each other), or
    the same in all, then the multiplier of each lane.
    """

    beats: int
    bias_bits: int
    mult_bits: int
    mults: tuple[int, ...] | None


@lru_cache(maxsize=REQUANTS_KEPT)
def constants(requant: Requant, lanes: int) -> Constants:
    bias, mult = requant.bias.reshape(-1, lanes), requant.mult.reshape(-1, lanes)
    fixed = tuple(mult[0].tolist()) if (mult == mult[0]).all() else None
    bits = width(int(bias.min()), int(bias.max()))
    return Constants(len(bias), distinct(bias, bits), distinct(mult, MULT_BITS), fixed)


@lru_cache(maxsize=REQUANTS_KEPT)
def operands(requant: Requant, bounds: tuple[int, int], guard_bits: int) -> tuple[int, int]:
    """Bits of a biased sum, and of what is multiplied of it."""
    biased = biased_width(requant, bounds)
    return biased, narrow_width(requant, biased, guard_bits)


def requantizer(
    f: Family,
    requant: Requant,
    dtype: DType,
    lanes: int,
    bounds: tuple[int, int],
    *,
    encoded: bool,
    counted: bool = False,
) -> tuple[Part, ...]:
    """``counted``: whether a counter addresses the biases, not a copy of one. Terms: lanes, bits of biased sums, of
    those that are narrowed, of rounded products, of integer results, of adders that join DSP blocks of a product.
    """
    guard = dtype.guard_bits if encoded else 0
    result = width(requant.lo << guard, requant.hi << guard) - (encoded and not dtype.signed)
    fixed, widths = constants(requant, lanes), operands(requant, bounds, guard)
    return _requantizer(f, fixed, width(*bounds), widths, requant.shift - guard, result, dtype, lanes, encoded, counted)


@cache
def _requantizer(
    f: Family,
    c: Constants,
    bits: int,
    operands: tuple[int, int],
    shift: int,
    result: int,
    dtype: DType,
    lanes: int,
    encoded: bool,
    counted: bool,
) -> tuple[Part, ...]:
    biased, narrow = operands
    tapered = encoded and isinstance(dtype, DyBitType)
    lut, ff, dsp = 0.0, float(lanes * (bits + biased + narrow + result)), 0
    rounded, joined = 0, 0
    for n in range(lanes):
        mult = MULT_BITS if c.mults is None else c.mults[n].bit_length()
        # the product's bits below half a unit of an integer are not needed
        rounded += max(1, narrow + mult - max(0, shift - (not tapered)))
        ff += max(1, narrow + mult - shift)
        factor = mult if c.mults is None else odd(c.mults[n]).bit_length()
        if factor > 1:
            dsp += dsp_blocks(f, narrow, factor + 1)
            joined += joined_bits(f, narrow, factor + 1, fixed=c.beats <= FEW_MULTS)
    ff += rounded
    if tapered:
        ff += lanes * dtype.width
    lut += table(f, c.beats, c.bias_bits, counted) + table(f, c.beats, c.mult_bits)
    lut += lanes * encoder(f, dtype) if encoded else 0.0
    ff += c.bias_bits + c.mult_bits
    if c.mults is None:
        ff += 2 * index(c.beats)
    narrowed = lanes * narrow if narrow < biased else 0
    # of a bias that is always the same only the ones take LUTs; a limit that is a power of two takes none by bit
    added = lanes * biased * (1.0 if c.bias_bits else 0.5)
    clipped = 0 if isinstance(dtype, DyBitType) else lanes * result
    terms = (lanes, added, narrowed, rounded, clipped, joined)
    return (Part("requantizer", terms, lut, ff, 0, dsp),)


def drain(
    f: Family, layout: TokenLayout, pe: int, requant: Requant | None, bounds: tuple[int, int], *, placed: bool = True
) -> tuple[Part, ...]:
    """``placed``: whether beats have a place. Terms: one, bits of sums chosen from those that wait, of those that move
    up, of places that are held, and of counters.
    """
    beats = pe // layout.lanes
    place = place_bits(layout) if placed else 0
    codes = layout.lanes * layout.dtype.width
    ff = drain_latency(layout.dtype, requant) * (2 + place)
    bits = layout.dtype.width if requant is None else width(*bounds)
    waiting, chosen, counts = 0, 0, 0
    if beats > 1:
        waiting, chosen = (pe - layout.lanes) * bits, layout.lanes * bits
        ff += waiting + index(beats) + place
        counts = index(beats)
    if requant is not None and constants(requant, layout.lanes).beats > 1:
        # the number of the beat, for its constants
        counts += index(layout.beats_per_token)
        ff += index(layout.beats_per_token)
    terms = (1.0, chosen, waiting if beats > 2 else 0, place if beats > 1 else 0, counts)
    part = Part("drain", terms, ff=ff)
    if requant is None:
        return (part._replace(ff=part.ff + codes),)
    lanes = requantizer(f, requant, layout.dtype, layout.lanes, bounds, encoded=True, counted=True)
    return part, *lanes


@cache
def frame_sums(f: Family, pe: int, groups: int, beats: int, bits: int, added: int) -> Part:
    """Sums of ``bits`` bits of numbers of ``added``. Terms: one, bits of the sums, those of numbers as wide, bits of
    the counters.
    """
    lut, registers = lut_memory(f, 2 * groups, pe * bits, 2)
    if registers and groups == 1 and f.lut_inputs == 6:
        # the LUTs of the adders choose between the two
        lut -= pe * bits
    counts = index(beats) + index(groups)
    return Part("frame_sums", (1.0, pe * bits, pe * bits * (added == bits), counts), lut, counts + 5 + registers)


@cache
def converter_part(layout: TokenLayout, o_lanes: int) -> Part:
    """Terms of widening: one, bits that are collected, bits of the counter; of narrowing: bits that move, bits of the
    counter, their product.
    """
    few, many = sorted((layout.lanes, o_lanes))
    ways = many // few
    lanes = many * layout.dtype.width
    place = 1 + index_bits(layout.shape.height) + index_bits(layout.shape.width)
    if o_lanes > layout.lanes:
        ff = 1 + place + lanes + lanes * (ways - 1) // ways + index(ways)
        return Part("widen", (1.0, lanes * (ways - 1) // ways, index(ways)), ff=ff)
    moved, level = lanes * (ways - 1) // ways, ways.bit_length()
    return Part("narrow", (moved, level, moved * level), ff=place + lanes + level)
