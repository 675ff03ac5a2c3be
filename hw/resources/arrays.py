"""What arrays of sums take: operands, products, adder trees, accumulators; and the sums of whole frames."""

from __future__ import annotations

from functools import cache

import numpy as np

from hw.arithmetic.adders import tree_stages
from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.packing import TREE_RADIX
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, index, lut_memory
from hw.fpga.mapping import Memory

CONSTANT_BITS = 3
"""Bits of a product with a constant that are constant or copies of others."""


@cache
def sums(
    f: FpgaFamily,
    s: MacArraySpec,
    words: int,
    bits: int,
    memory: Memory,
    masked: bool,
    fixed: tuple[ResourceEstimate, ...] = (),
) -> tuple[ResourceEstimate, ...]:
    """An array of sums.

    Terms of accumulators: their bits, and bits of those that pay back what a packed field borrowed; of operands: LUTs
    of decoders, taps that a mask covers, bits of packed weights that borrow; of maxima: bits that are compared, and
    bits of the keys that a mask or a sign changes.

    Parameters
        f          the device's family
        s          the array
        words      words of weights; the weights never change where there is one
        bits       bits of a word that are neither constant nor copies of others
        memory     where the weights are
        masked     whether a mask makes features of some taps 0
        fixed      products and adders of weights that never change, from ``hw.resources.constants``; else empty
    """
    lanes = s.taps * s.simd
    chain = s.latency - 1
    if s.largest:
        bits, remaining, pairs, stored = s.features.width, s.taps, 1, s.taps + 1
        while remaining > 1:
            after = -(-remaining // TREE_RADIX)
            pairs, stored, remaining = pairs + remaining - after, stored + after, after
        key = s.taps * bits * (masked or s.features.signed)
        return (ResourceEstimate("maxima", (s.pe * pairs * bits, s.pe * key), ff=s.pe * stored * bits + chain),)
    operand, decoders, borrows = s.features.decoded_width, lanes * codec(s.features).decoder_luts(f.lut_inputs), 0.0
    if s.circuit is not None:
        operand = s.circuit.operand_bits(s.features, feature=True)
        decoders = lanes * s.circuit.operand_luts(f, s.features, feature=True)
    ff = lanes * operand + chain
    borrowed = 0
    parts = [*fixed]
    if s.weights is not None and s.circuit is not None and not fixed:
        weight, macs = signed_width(s.weights), s.pe * s.terms
        groups = s.packing.groups(s.pe) if s.packing else [range(1)] * s.pe
        spans = [(len(lanes) - 1) * s.packing.bits + weight if s.packing else weight for lanes in groups]
        # of few words, many bits of a weight are constant, or in LUTs copies of others
        share = bits / s.weight_bits if words > 1 else 0.0
        decoders += macs * s.circuit.operand_luts(f, s.weights, feature=False) * share
        ff += macs * s.circuit.operand_bits(s.weights, feature=False) * share
        if s.packing is not None:
            # what a field borrows from the one above
            borrows = (s.pe - len(groups)) * s.terms * (weight + 1) * share
            ff += (s.pe - len(groups)) * s.terms * share
            borrowed = (s.pe - len(groups)) * s.width * (s.packing.summed >= s.terms)
        constant = CONSTANT_BITS if words == 1 else 0
        ff += s.terms * sum(s.product_width + span - weight - constant for span in spans)
        ff += s.circuit.waiting_bits(s.count(), share)
        # few words leave less of a product
        remaining = (1 + share) / 2 if memory is Memory.BRAM else min(1.0, 0.25 + 0.15 * words)
        parts.append(s.circuit.resources(f, s.count(remaining), spans))
    parts.append(ResourceEstimate("operands", (decoders, s.taps if masked else 0, borrows)))
    if not fixed:
        *added, registers = tree(s).tolist()
        parts.append(ResourceEstimate("adders", tuple(added), ff=registers))
    return ResourceEstimate("accumulators", (s.pe * s.width, borrowed), ff=ff + s.pe * s.width), *parts


def adders(terms: int, bits: int, stages: int = 0) -> np.ndarray:
    """The adders of one registered adder tree.

    Parameters
        terms      numbers that are added
        bits       bits of each number
        stages     the fewest stages of the tree
    Returns        int ``[4]``: bits of sums of two, of three and of four numbers, and registers
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


def tree(s: MacArraySpec) -> np.ndarray:
    """The adder trees of all lanes.

    Parameters
        s          the array of sums
    Returns        int ``[4]``, as ``adders`` returns it
    """
    feature = signed_width(s.features)
    if s.weights is None:
        return s.pe * adders(s.terms, feature)
    product, packing = s.product_width, s.packing
    if packing is None:
        totals = s.pe * adders(s.terms, product)
        totals[3] += s.pe * carry_registers(s.terms) * s.carried
        return totals
    totals = np.zeros(4, dtype=int)
    whole, rest = divmod(s.terms, packing.summed)
    parts, stages = whole + (rest > 0), tree_stages(packing.summed)
    for lanes in packing.groups(s.pe):
        bits = (len(lanes) - 1) * packing.bits + product
        totals += whole * adders(packing.summed, bits, stages) + (rest > 0) * adders(rest, bits, stages)
        totals += (len(lanes) - 1) * adders(parts, packing.bits) + adders(parts, product + stages)
        totals[3] += (len(lanes) - 1) * carry_registers(parts)
    return totals


def carry_registers(terms: int) -> int:
    """Registers of carries that wait for an adder in a tree; each number comes with one carry.

    Parameters
        terms      numbers that are added
    """
    waiting = 0
    carries = terms
    while terms > 1:
        after = -(-terms // TREE_RADIX)
        carries -= terms - after
        waiting, terms = waiting + carries, after
    return waiting


@cache
def frame_sums(f: FpgaFamily, pe: int, groups: int, beats: int, bits: int, added: int) -> ResourceEstimate:
    """The sums of whole frames.

    Terms: one, bits of the sums, the same where numbers are as wide as sums (else 0), bits of the counters.

    Parameters
        f          the device's family
        pe         sums at once
        groups     groups of ``pe`` channels
        beats      beats of a group at the output
        bits       bits of a sum
        added      bits of each number that is added
    """
    lut, registers = lut_memory(f, 2 * groups, pe * bits, 2)
    if registers and groups == 1 and f.lut_inputs == 6:
        # the LUTs of the adders choose between the two
        lut -= pe * bits
    counts = index(beats) + index(groups)
    return ResourceEstimate(
        "frame_sums", (1.0, pe * bits, pe * bits * (added == bits), counts), lut, counts + 5 + registers
    )
