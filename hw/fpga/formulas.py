"""Resource formulas of each FPGA family, on which ``hw.resources`` rests: what Yosys makes of small circuits.

They cover logic, memories and products. LUTs are those of the family, with 6 or 4 inputs. The rules for DSP blocks and
block memories are exact. The LUTs of control logic are a linear function of a few counts, its *terms*. The
coefficients are in ``hw.fpga.lut_coefficients``; ``benchmarks.resources`` fits them to what Yosys makes of whole ops.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from hw.fpga.device import Resources
from hw.fpga.families.family import FpgaFamily
from hw.fpga.memory import MemoryShape, in_registers, shape


class ResourceEstimate(NamedTuple):
    """The resources of a part of an op.

    Parameters
        kind       names the coefficients of ``terms`` in ``FpgaFamily.coefficients``
        terms      counts to which the part's other LUTs are proportional, one per coefficient
        lut        LUTs that are known without coefficients
        ff         flip-flops
        bram       block memories, as ``hw.fpga.device`` counts them
        dsp        DSP blocks
    """

    kind: str
    terms: tuple[float, ...] = ()
    lut: float = 0.0
    ff: float = 0.0
    bram: int = 0
    dsp: int = 0


MAX_PATTERN_WORDS = 16
"""Up to this many words, one bit of all words together fits a 16-bit number, and a table finds the distinct ones."""


def luts(f: FpgaFamily, part: ResourceEstimate) -> float:
    """LUTs of a part: the known ones, and the terms times their coefficients where that is above 0.

    Parameters
        f          the device's family
        part       any part
    """
    fitted = sum(own * term for own, term in zip(f.coefficients[part.kind], part.terms, strict=True))
    return part.lut + max(0.0, fitted)


def total(f: FpgaFamily, parts: Iterable[ResourceEstimate]) -> Resources:
    """The resources of several parts together, LUTs and flip-flops rounded once.

    Parameters
        f          the device's family
        parts      any parts
    """
    lut = ff = 0.0
    bram = dsp = 0
    for part in parts:
        lut += luts(f, part)
        ff += part.ff
        bram += part.bram
        dsp += part.dsp
    return Resources(max(0, round(lut)), round(ff), bram, dsp)


def index(count: int) -> int:
    """Bits of an index below ``count``; 0 for a count of 1.

    Parameters
        count      number of values, at least 1
    """
    return (count - 1).bit_length()


def select(f: FpgaFamily, ways: int) -> float:
    """LUTs of one bit of a multiplexer, decoding of its select included.

    Parameters
        f          the device's family
        ways       number of inputs
    """
    return max(1.0, f.mux_luts * (ways - 1)) if ways > 1 else 0.0


def decoded_select(f: FpgaFamily, ways: int) -> int:
    """LUTs of one bit of a multiplexer whose select is decoded once for many bits, without the decoding.

    A LUT holds the whole multiplexer where its inputs are enough. Otherwise each input of the multiplexer has its
    decoded select, and a tree of LUTs makes the OR of their ANDs.

    Parameters
        f          the device's family
        ways       number of inputs
    """
    if ways + index(ways) <= f.lut_inputs:
        return int(ways > 1)
    return -(-(2 * ways - 1) // (f.lut_inputs - 1))


def dsp_blocks(f: FpgaFamily, a: int, b: int) -> int:
    """DSP blocks of a product of two signed numbers; 0 when Yosys makes it of LUTs.

    Parameters
        f          the device's family
        a          bits of one number
        b          bits of the other
    """
    if a + b < f.dsp_result:
        return 0
    whole = 2 if f.dsp_half else 1
    pieces = [piece for piece in _pieces(f, max(a, b), min(a, b)) if min(piece) >= f.dsp_min]
    return sum(1 if max(piece) <= f.dsp_half else whole for piece in pieces)


def joined_bits(f: FpgaFamily, a: int, b: int, *, fixed: bool = False) -> int:
    """Bits of the adders that combine the results of the DSP blocks of one product.

    Each piece of the product after the first takes one adder. A piece in which an operand has a single bit is no DSP
    block: LUTs multiply by that bit, negate and add, which counts as three adders.

    Parameters
        f          the device's family
        a          bits of one signed number
        b          bits of the other
        fixed      whether one number has few different values; then such a piece counts as one adder too
    """
    if a + b < f.dsp_result:
        return 0
    adders = sum(1 if fixed or min(piece) >= f.dsp_min else 3 for piece in _pieces(f, max(a, b), min(a, b))[1:])
    return adders * (a + b - f.dsp_slice)


def _pieces(f: FpgaFamily, a: int, b: int) -> list[tuple[int, int]]:
    """The operand widths of the smaller products into which Yosys splits a product that is too large for a block."""
    if a > f.dsp[0]:
        slices = -(-(a - f.dsp[0]) // f.dsp_slice)
        return slices * _pieces(f, f.dsp_slice, b) + _pieces(f, a - slices * f.dsp_slice, b)
    if b > f.dsp[1]:
        slices = -(-(b - f.dsp[1]) // f.dsp_slice)
        return slices * _pieces(f, a, f.dsp_slice) + _pieces(f, a, b - slices * f.dsp_slice)
    return [(a, b)]


def small_product(f: FpgaFamily, a: int, b: int) -> float:
    """LUTs of a product of two numbers that Yosys does not put into a DSP block.

    Parameters
        f          the device's family
        a          bits of one number
        b          bits of the other
    """
    a, b = max(a, b), min(a, b)
    return 0.4 * a * b**2 if f.lut_inputs == 6 else 2.4 * a * b


@cache
def constant_block(f: FpgaFamily, depth: int, bits: int) -> ResourceEstimate:
    """A block memory that is only read, as a part without ``kind`` and ``terms``.

    Parameters
        f          the device's family
        depth      words
        bits       bits of a word
    """
    return _banked(f, shape(f.block, depth, bits, False), bits)


@cache
def written_block(f: FpgaFamily, depth: int, bits: int) -> ResourceEstimate:
    """A block memory that is written and read, as a part without ``kind`` and ``terms``.

    Parameters
        f          the device's family
        depth      words
        bits       bits of a word
    """
    memory = shape(f.block, depth, bits, True)
    part = _banked(f, memory, bits)
    part = part._replace(lut=part.lut + (memory.banks if memory.banks > 1 else 0))
    if f.read_first:
        return part
    # Yosys keeps the last word written in registers, for a read of the same place
    return part._replace(lut=part.lut + bits + 1.5 * index(depth), ff=part.ff + 2 * bits + index(depth))


def _banked(f: FpgaFamily, memory: MemoryShape, bits: int) -> ResourceEstimate:
    """A memory with the multiplexer of its banks, and a register that holds the bank that is read."""
    return ResourceEstimate("", lut=bits * select(f, memory.banks), ff=index(memory.banks), bram=memory.size)


@cache
def lut_memory(f: FpgaFamily, depth: int, bits: int, reads: int = 1, *, forced: bool = False) -> tuple[float, float]:
    """LUTs and registers of a memory that is written and whose read ports have no clock.

    The smallest memories are made of registers.

    Parameters
        f          the device's family
        depth      words
        bits       bits of a word
        reads      read ports
        forced     whether the memory is in LUTs however small it is
    """
    if not f.ram or (not forced and in_registers(f.ram, depth, bits, reads)):
        return (bits * reads * select(f, depth) + (depth if depth > 1 else 0), bits * depth)
    memory = shape(f.ram, depth, bits, True, reads)
    return memory.size + bits * reads * select(f, memory.banks) + (memory.banks if memory.banks > 1 else 0), 0.0


def table(f: FpgaFamily, depth: int, columns: int, counter_addressed: bool = False) -> float:
    """LUTs of a table of random constants.

    Parameters
        f                    the device's family
        depth                words
        columns              bits of a word, without constant bits and copies of other bits
        counter_addressed    whether the address is a counter; ABC9 then maps large tables worse, mixing them with its
                             carries
    """
    if depth <= 4:
        return 0.4 * columns
    if f.lut_inputs == 6:
        return columns * max(1, (1 << index(depth)) >> 6, (depth - 8) / 13 if counter_addressed else 0)
    return columns * (1.0 if depth <= 16 else 0.128 * depth)


def distinct(words: np.ndarray, bits: int) -> int:
    """Bits of constant words that are neither constant nor copies of other bits.

    Parameters
        words      int ``[depth, lanes]``, a word a row
        bits       bits of each lane
    """
    if len(words) > MAX_PATTERN_WORDS:
        columns = ((words[:, :, None] >> np.arange(bits)) & 1).reshape(len(words), -1)
        columns = columns[:, (columns != columns[:1]).any(axis=0)]
        return len({column.tobytes() for column in np.packbits(columns.T.astype(bool), axis=1)})
    present = np.zeros(1 << len(words), dtype=bool)
    for bit in range(bits):
        column = np.zeros(words.shape[1], dtype=np.uint16)
        for row, word in enumerate(words):
            column |= ((word >> bit) & 1).astype(np.uint16) << row
        present[column] = True
    return int(np.count_nonzero(present[1:-1]))


def table_product(f: FpgaFamily, inputs: int) -> float:
    """LUTs of one bit of a table product, with its share of the negation.

    Parameters
        f          the device's family
        inputs     bits of the two magnitude codes on which the bit depends
    """
    if f.lut_inputs == 6:
        return 1.0 if inputs < 6 else 1.0 + 2 ** (inputs - 6)
    return 2.0 if inputs < 5 else 2.9 + 1.2 * (inputs - 4)
