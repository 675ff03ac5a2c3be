"""What takes sums to codes: the drain, and lanes of requantizing."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

from hw.fabric import Family, Part, distinct, dsp_blocks, encoder, index, joined_bits, table
from hw.layout import TokenLayout
from hw.requantizer import biased_width, drain_latency, narrow_width
from hw.resources.streams import place_bits
from models.ir.accumulator import width
from models.ir.dtype import DType, DyBitType
from models.ir.graph import MULT_BITS, Requant

REQUANTS_KEPT = 4096
"""How many nodes' requantize constants are remembered in short."""

FEW_MULTS = 4
"""Multipliers in turn of which most bits are likely the same."""


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


class Constants(NamedTuple):
    """What a requantizer's constants are: by beat (bits of biases, of their fractions and of multipliers that differ
    from each other), or the same in all, then the multiplier of each lane.
    """

    beats: int
    bias_bits: int
    fraction_bits: int
    mult_bits: int
    mults: tuple[int, ...] | None


@lru_cache(maxsize=REQUANTS_KEPT)
def constants(requant: Requant, lanes: int) -> Constants:
    bias, mult = requant.bias.reshape(-1, lanes), requant.mult.reshape(-1, lanes)
    fixed = tuple(mult[0].tolist()) if (mult == mult[0]).all() else None
    bits = width(int(bias.min()), int(bias.max()))
    below = distinct(bias, requant.fraction) if requant.fraction else 0
    return Constants(len(bias), distinct(bias, bits), below, distinct(mult, MULT_BITS), fixed)


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
    bits, shift = width(*bounds), requant.shift - guard
    return _requantizer(f, fixed, bits, widths, requant.fraction, shift, result, dtype, lanes, encoded, counted)


@cache
def _requantizer(
    f: Family,
    c: Constants,
    bits: int,
    operands: tuple[int, int],
    fraction: int,
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
    # fractions of sums are those of biases: Yosys keeps one register of what is the same in several lanes
    ff -= (lanes * fraction - c.fraction_bits) * (1 if narrow < biased else 2)
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
    added = lanes * (biased - fraction) * (1.0 if c.bias_bits else 0.5)
    clipped = 0 if isinstance(dtype, DyBitType) else lanes * result
    terms = (lanes, added, narrowed, rounded, clipped, joined)
    return (Part("requantizer", terms, lut, ff, 0, dsp),)


def odd(factor: int) -> int:
    """A factor without its powers of two, which are wires."""
    return factor // (factor & -factor) if factor else 0
