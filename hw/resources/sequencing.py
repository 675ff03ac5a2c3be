"""What a sequencer takes, and the memory that gives each of its steps a word of weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np

from hw.arithmetic.mac import MacArraySpec
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate, constant_block, distinct, index, table
from hw.fpga.mapping import Memory
from hw.line_buffer.sequencer import Folds

FEW_WORDS = 16
"""Up to so many words, some bits are likely constant or copies of others."""


@cache
def sequencer(folds: Folds, site: int) -> ResourceEstimate:
    """A sequencer.

    Terms: one, bits of the counters, bits of a site, taps of a serial kernel loop.

    Parameters
        folds    how a site is split into steps
        site     bits of a site
    """
    counts = index(folds.neuron_folds) + index(folds.synapse_folds)
    counts += index(folds.end_interval if folds.whole_frame else folds.beats)
    taps = math.prod(folds.kernel or (0,))
    return ResourceEstimate("sequencer", (1.0, counts, site, taps), ff=counts + taps + 2 * site + 4)


def weight_bits(spec: MacArraySpec, memory: Memory, count: int, words: Callable[[], np.ndarray]) -> int:
    """Bits of a word of weights that are left after synthesis.

    Yosys removes the bits that are the same in all words, and from LUTs also the copies of other bits.

    Parameters
        spec       the array of sums
        memory     where the weights are
        count      words of weights
        words      function that returns them, int ``[count, lanes]``
    """
    if count > FEW_WORDS or spec.weights is None:
        return spec.weight_bits
    codes = spec.weights.encode(words())
    if memory is Memory.LUT:
        return max(1, distinct(codes, spec.weights.width))
    changes = np.bitwise_or.reduce(codes ^ codes[0], axis=0)
    return max(1, int(np.bitwise_count(changes).sum()))


def lookup_table(f: FpgaFamily, codes: np.ndarray, words: int, bits: int, memory: Memory) -> ResourceEstimate:
    """The memory of a function's results.

    Parameters
        f          the device's family
        codes      the results
        words      words of the memory
        bits       bits of a word
        memory     where the results are
    """
    if memory is Memory.BRAM:
        return constant_block(f, words, bits)._replace(kind="weights")
    columns = distinct(codes[:, None], bits)
    return ResourceEstimate("weights", lut=table(f, words, columns), ff=columns)


@cache
def weights(f: FpgaFamily, bits: int, words: int, memory: Memory, address: int) -> tuple[ResourceEstimate, ...]:
    """The memory of weights; no part where there is one word, because its weights never change.

    Parameters
        f          the device's family
        bits       bits of a word
        words      words of weights
        memory     where the weights are
        address    bits of the registers that hold addresses
    """
    if words == 1:
        return ()
    if memory is Memory.BRAM:
        block = constant_block(f, words, bits)
        return (block._replace(kind="weights", ff=block.ff + address),)
    return (ResourceEstimate("weights", lut=table(f, words, bits), ff=address + bits),)
