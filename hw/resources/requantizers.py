"""What output serializers and requantizers take of a device."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.output import serializer_latency
from hw.arithmetic.requantizer import biased_width, narrow_width
from hw.arithmetic.threshold_search import search_tree, stages
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, distinct, dsp_blocks, index, joined_bits, table
from hw.resources.streams import place_bits
from hw.streams.layout import TokenLayout
from models.ir.accumulator import width
from models.ir.dtype import DType
from models.ir.requant import Requant
from models.ir.thresholds import Rescaling, Thresholds

CACHED_REQUANTS = 4096
"""Nodes whose requantize constants stay in the cache of ``constants`` and of ``operand_widths``."""

LUTS_A_COMPARED_BIT = 0.8
"""What a bit of a comparison of two numbers takes, as Yosys makes it with carry chains."""
FEW_MULTS = 4
"""Up to so many multipliers that take turns, most of their bits are likely the same in all."""


def output_serializer(
    f: FpgaFamily,
    layout: TokenLayout,
    pe: int,
    requant: Rescaling | None,
    bounds: tuple[int, int],
    *,
    has_place: bool = True,
) -> tuple[ResourceEstimate, ...]:
    """An output serializer with its requantizer.

    Terms: one, bits of the sums that a beat chooses, bits of the waiting sums that move up, bits of the registers of
    the place, bits of the counters.

    Parameters
        f            the device's family
        layout       layout of the output
        pe           sums at once
        requant      constants of the requantizer; None where the sums are codes already
        bounds       the lowest and the highest sum
        has_place    whether beats have a place (y and x)
    """
    beats = pe // layout.lanes
    place = place_bits(layout) if has_place else 0
    codes = layout.lanes * layout.dtype.width
    ff = serializer_latency(layout.dtype, requant) * (2 + place)
    bits = layout.dtype.width if requant is None else width(*bounds)
    waiting, mux_bits, counts = 0, 0, 0
    if beats > 1:
        waiting, mux_bits = (pe - layout.lanes) * bits, layout.lanes * bits
        ff += waiting + index(beats) + place
        counts = index(beats)
    if requant is not None and _beats(requant, layout.lanes) > 1:
        # the number of the beat, for its constants
        counts += index(layout.beats_per_token)
        ff += index(layout.beats_per_token)
    terms = (1.0, mux_bits, waiting if beats > 2 else 0, place if beats > 1 else 0, counts)
    part = ResourceEstimate("drain", terms, ff=ff)
    if requant is None:
        return (part._replace(ff=part.ff + codes),)
    lanes = rescaler(f, requant, layout.dtype, layout.lanes, bounds, counter_addressed=True)
    return part, *lanes


def _beats(rule: Rescaling, lanes: int) -> int:
    """Beats with constants of their own."""
    return len(rule.levels) // lanes if isinstance(rule, Thresholds) else constants(rule, lanes).beats


def rescaler(
    f: FpgaFamily,
    rule: Rescaling,
    dtype: DType,
    lanes: int,
    bounds: tuple[int, int],
    *,
    encoded: bool = True,
    counter_addressed: bool = False,
) -> tuple[ResourceEstimate, ...]:
    """Lanes that turn sums into codes, or, where they are not ``encoded``, into integers: ``requantizer`` or a search.

    Parameters
        f                    the device's family
        rule                 how sums become numbers
        dtype                format of the results
        lanes                results at once
        bounds               the lowest and the highest sum
        encoded              whether the results are codes instead of integers
        counter_addressed    whether a counter addresses the biases itself, not a delayed copy of it
    """
    if isinstance(rule, Thresholds):
        return threshold_search(f, rule, dtype, lanes, bounds)
    return requantizer(f, rule, dtype, lanes, bounds, encoded=encoded, counter_addressed=counter_addressed)


def threshold_search(
    f: FpgaFamily, rule: Thresholds, dtype: DType, lanes: int, bounds: tuple[int, int]
) -> tuple[ResourceEstimate, ...]:
    """Lanes of a search among levels: for each comparison a table of levels, a comparator, registers.

    Parameters
        f          the device's family
        rule       the levels
        dtype      format of the results
        lanes      results at once
        bounds     the lowest and the highest sum
    """
    rows = len(rule.levels)
    beats = max(1, rows // lanes) if rows > 1 else 1
    bits, level_bits = width(*bounds), width(bounds[0], bounds[1] + 1)
    # the last comparison's sum and its number of the beat are not kept
    lut, ff = 0.0, float(lanes * (dtype.width - bits) - 2 * index(beats))
    for step, levels in enumerate(search_tree(rule, bounds)):
        for lane in range(lanes):
            words = (levels[lane::lanes] if rows > 1 else levels).reshape(-1, 1)
            columns = distinct(words, level_bits)
            lut += table(f, len(words), columns)
            ff += (columns if len(words) > 1 else 0) + 2 * bits + 2 * step + 1
        ff += 2 * index(beats)
    compared = lanes * stages(rule) * bits
    # a code that is not the number of levels itself takes a table
    codes = 0.0 if not dtype.signed and not rule.first else lanes * table(f, 1 << stages(rule), dtype.width)
    return (ResourceEstimate("requantizer", (0.0, LUTS_A_COMPARED_BIT * compared, 0, 0, 0, 0), lut + codes, ff),)


class Constants(NamedTuple):
    """A requantizer's constants in short. Bits of a beat's constants count where they are neither constant nor copies.

    Parameters
        beats            beats with constants of their own
        bias_bits        bits of the biases of a beat
        fraction_bits    bits of their fractions
        mult_bits        bits of the multipliers of a beat
        mult_width       bits of a multiplier
        mults            multiplier of each lane where it is the same in all beats; else None
    """

    beats: int
    bias_bits: int
    fraction_bits: int
    mult_bits: int
    mult_width: int
    mults: tuple[int, ...] | None


@lru_cache(maxsize=CACHED_REQUANTS)
def constants(requant: Requant, lanes: int) -> Constants:
    """The constants of a requantizer in short.

    Parameters
        requant    constants by channel
        lanes      channels of a beat
    """
    bias, mult = requant.bias.reshape(-1, lanes), requant.mult.reshape(-1, lanes)
    fixed = tuple(mult[0].tolist()) if (mult == mult[0]).all() else None
    bits = width(int(bias.min()), int(bias.max()))
    below = distinct(bias, requant.fraction) if requant.fraction else 0
    return Constants(
        len(bias), distinct(bias, bits), below, distinct(mult, requant.mult_bits), requant.mult_bits, fixed
    )


@lru_cache(maxsize=CACHED_REQUANTS)
def operand_widths(requant: Requant, bounds: tuple[int, int], guard_bits: int) -> tuple[int, int]:
    """Bits of the operands of a requantizer.

    Parameters
        requant       constants by channel
        bounds        the lowest and the highest sum
        guard_bits    bits below a unit of the result that its encoder needs
    Returns           bits of a biased sum, and bits of it that are multiplied
    """
    biased = biased_width(requant, bounds)
    return biased, narrow_width(requant, biased, guard_bits)


def requantizer(
    f: FpgaFamily,
    requant: Requant,
    dtype: DType,
    lanes: int,
    bounds: tuple[int, int],
    *,
    encoded: bool,
    counter_addressed: bool = False,
) -> tuple[ResourceEstimate, ...]:
    """Lanes of requantizing.

    Terms: lanes, bits of biased sums, bits of sums that are narrowed, bits of rounded products, bits of integer
    results, bits of adders that join the DSP blocks of a product.

    Parameters
        f                    the device's family
        requant              constants by channel
        dtype                format of the results
        lanes                results at once
        bounds               the lowest and the highest sum
        encoded              whether the results are codes instead of integers
        counter_addressed    whether a counter addresses the biases itself, not a delayed copy of it
    """
    guard = dtype.guard_bits if encoded else 0
    result = width(requant.lo << guard, requant.hi << guard) - (encoded and not dtype.signed)
    fixed, widths = constants(requant, lanes), operand_widths(requant, bounds, guard)
    bits, shift = width(*bounds), requant.shift - guard
    return _requantizer(
        f, fixed, bits, widths, requant.fraction, shift, result, dtype, lanes, encoded, counter_addressed
    )


@cache
def _requantizer(
    f: FpgaFamily,
    c: Constants,
    bits: int,
    widths: tuple[int, int],
    fraction: int,
    shift: int,
    result: int,
    dtype: DType,
    lanes: int,
    encoded: bool,
    counter_addressed: bool,
) -> tuple[ResourceEstimate, ...]:
    biased, narrow = widths
    tapered = encoded and dtype.tapered
    lut, ff, dsp = 0.0, float(lanes * (bits + biased + narrow + result)), 0
    # fractions of sums are those of biases: Yosys keeps one register of what is the same in several lanes
    ff -= (lanes * fraction - c.fraction_bits) * (1 if narrow < biased else 2)
    rounded_bits, joined = 0, 0
    for n in range(lanes):
        mult = c.mult_width if c.mults is None else c.mults[n].bit_length()
        # the product's bits below half a unit of an integer are not needed
        rounded_bits += max(1, narrow + mult - max(0, shift - (not tapered)))
        ff += max(1, narrow + mult - shift)
        factor = mult if c.mults is None else odd_part(c.mults[n]).bit_length()
        if factor > 1:
            dsp += dsp_blocks(f, narrow, factor + 1)
            joined += joined_bits(f, narrow, factor + 1, fixed=c.beats <= FEW_MULTS)
    ff += rounded_bits
    if tapered:
        ff += lanes * dtype.width
    lut += table(f, c.beats, c.bias_bits, counter_addressed) + table(f, c.beats, c.mult_bits)
    lut += lanes * codec(dtype).encoder_luts(f.lut_inputs) if encoded else 0.0
    ff += c.bias_bits + c.mult_bits
    if c.mults is None:
        ff += 2 * index(c.beats)
    narrowed = lanes * narrow if narrow < biased else 0
    # of a bias that is always the same only the ones take LUTs; a limit that is a power of two takes none by bit
    added = lanes * (biased - fraction) * (1.0 if c.bias_bits else 0.5)
    clipped = 0 if dtype.tapered else lanes * result
    terms = (lanes, added, narrowed, rounded_bits, clipped, joined)
    return (ResourceEstimate("requantizer", terms, lut, ff, 0, dsp),)


def odd_part(factor: int) -> int:
    """The odd part of a factor; its powers of two are only wires.

    Parameters
        factor     an integer that is not negative
    """
    return factor // (factor & -factor) if factor else 0
