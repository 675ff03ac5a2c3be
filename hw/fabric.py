"""What Yosys makes of logic, memories and products on each family of FPGAs: the formulas under ``hw.resources``.

LUTs are those of the family, with 6 or 4 inputs. The rules of DSP blocks and block memories are exact. The LUTs of
control logic are proportional to a few counts, its *terms*, with factors in ``hw.lut_factors`` that
``benchmarks/resources.py`` fits to what Yosys makes of whole ops.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from hw.device import Device, Resources
from hw.lut_factors import LUT4, LUT6
from models.ir.dtype import DType, DyBitType


class Part(NamedTuple):
    """A part of an op: LUTs that are known, and ``terms`` to which the other LUTs of its ``kind`` are proportional."""

    kind: str
    terms: tuple[float, ...] = ()
    lut: float = 0.0
    ff: float = 0.0
    bram: int = 0
    dsp: int = 0


@dataclass(frozen=True, eq=False)
class Family:
    """``dsp``: signed operand widths of a DSP block; ``dsp_slice``: bits of an operand that each block takes but the
    last, where it takes several; ``dsp_result``: bits of the narrowest product that becomes a DSP block;
    ``dsp_registers``: whether DSP blocks take in the registers around a product. ``ram``: (words, bits, LUTs) of each
    shape of LUT memory, by ascending words; empty where LUTs are no memory. ``block``: (words, bits) shapes of one
    block memory; ``read_first``: whether it does, without help, what our memories do when a word is read while it
    is written. ``factors``: LUTs per term, by kind.
    """

    lut_inputs: int
    dsp: tuple[int, int]
    dsp_slice: int
    dsp_result: int
    dsp_registers: bool
    ram: tuple[tuple[int, int, int], ...]
    block: tuple[tuple[int, int], ...]
    read_first: bool
    factors: dict[str, tuple[float, ...]]


_BLOCK_18K = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))

FAMILIES = {
    "xcup": Family(6, (27, 18), 17, 9, False, ((32, 14, 8), (64, 7, 8)), _BLOCK_18K, True, LUT6),
    "xc7": Family(6, (25, 18), 17, 9, True, ((32, 6, 4), (64, 3, 4)), _BLOCK_18K, True, LUT6),
    "ecp5": Family(4, (18, 18), 18, 0, False, ((16, 4, 6),), _BLOCK_18K, False, LUT4),
    "ice40": Family(4, (16, 16), 16, 11, False, (), ((256, 16), (512, 8), (1024, 4), (2048, 2)), False, LUT4),
}


def family(device: Device) -> Family:
    if device.family not in FAMILIES:
        raise ValueError(
            f"device {device.name!r}, field 'family': no resource figures for {device.family!r}; "
            f"there are some for {', '.join(FAMILIES)}"
        )
    return FAMILIES[device.family]


def luts(f: Family, part: Part) -> float:
    fitted = sum(factor * term for factor, term in zip(f.factors[part.kind], part.terms, strict=True))
    return part.lut + max(0.0, fitted)


def total(f: Family, parts: Iterable[Part]) -> Resources:
    lut = ff = 0.0
    bram = dsp = 0
    for part in parts:
        lut += luts(f, part)
        ff += part.ff
        bram += part.bram
        dsp += part.dsp
    return Resources(max(0, round(lut)), round(ff), bram, dsp)


def index(count: int) -> int:
    """Bits that remain of an index below ``count``: none when it is always 0."""
    return (count - 1).bit_length()


def select(f: Family, ways: int) -> float:
    """LUTs of one bit of a choice among ``ways``, decoding included."""
    if ways < 2:
        return 0.0
    return max(1.0, (ways - 1) / 3) if f.lut_inputs == 6 else 1.1 * (ways - 1)


def dsp_blocks(f: Family, a: int, b: int) -> int:
    """DSP blocks of a product of signed numbers of ``a`` and ``b`` bits; 0 when Yosys makes it of LUTs."""
    a, b = max(a, b), min(a, b)
    return 0 if a + b < f.dsp_result else _dsp_blocks(f, a, b)


def _dsp_blocks(f: Family, a: int, b: int) -> int:
    if min(a, b) < 2:
        return 0
    if a > f.dsp[0]:
        slices = -(-(a - f.dsp[0]) // f.dsp_slice)
        return slices * _dsp_blocks(f, f.dsp_slice, b) + _dsp_blocks(f, a - slices * f.dsp_slice, b)
    if b > f.dsp[1]:
        slices = -(-(b - f.dsp[1]) // f.dsp_slice)
        return slices * _dsp_blocks(f, a, f.dsp_slice) + _dsp_blocks(f, a, b - slices * f.dsp_slice)
    return 1


def block_memory(f: Family, depth: int, bits: int) -> int:
    """Block memories that hold ``depth`` words."""
    return min(-(-depth // words) * -(-bits // lanes) for words, lanes in f.block)


@cache
def lut_memory(f: Family, depth: int, bits: int, reads: int = 1) -> tuple[float, float]:
    """(LUTs, registers) of a memory that is written, with ``reads`` ports that read without a clock."""
    if not f.ram or depth <= 1 or (reads > 1 and depth <= 2):
        return bits * (0.5 * depth + reads * select(f, depth)), bits * depth
    banks, cost = min((-(-depth // words), -(-bits // lanes) * size) for words, lanes, size in f.ram)
    lut = reads * (banks * cost + bits * select(f, banks)) + (0.8 * banks if banks > 1 else 0.0)
    return lut, 0.0


@cache
def written_block(f: Family, depth: int, bits: int) -> Part:
    """A block memory that is written, in a part's ``lut``, ``ff`` and ``bram``."""
    blocks = block_memory(f, depth, bits)
    if f.read_first:
        return Part("", bram=blocks)
    # Yosys keeps the last word written, for a read of the same place
    return Part("", lut=bits + 1.5 * index(depth), ff=2 * bits + index(depth), bram=blocks)


@cache
def table(f: Family, depth: int, bits: int) -> tuple[float, float]:
    """(LUTs, registers) of constants by address in LUTs, with a register at the output.

    Of few words, some bits are constant or the same as others: these figures are what random words leave.
    """
    columns = float(bits)
    if depth <= 10:
        kinds = 2**depth - 2
        columns = kinds * (1 - (1 - 1 / 2**depth) ** bits)
    words = 1 << f.lut_inputs
    each = max(1.0, (1 << index(depth)) / words)
    if each > 8:
        each *= 1 + 0.25 * math.log2(each / 8)
    return columns * (each if depth > 4 else 0.4), columns


def looked_up(f: Family, inputs: int) -> float:
    """LUTs of one bit of a product of magnitudes that depends on so many bits, and of its negation."""
    if f.lut_inputs == 6:
        return 1.0 if inputs < 6 else 1.0 + 2 ** (inputs - 6)
    return 2.0 if inputs < 5 else 2.9 + 1.2 * (inputs - 4)


def decoder(f: Family, dtype: DType) -> float:
    """LUTs of the decoded value of a code."""
    if not isinstance(dtype, DyBitType):
        return 0.0
    bits = dtype.magnitude_bits
    if f.lut_inputs == 6:
        return 2.4 * bits - 1 + 1.6 * bits * dtype.signed
    return 0.135 * bits**3 + 3.0 * bits * dtype.signed


def encoder(f: Family, dtype: DType) -> float:
    """LUTs of the code nearest to a value."""
    if not isinstance(dtype, DyBitType):
        return 0.0
    bits = dtype.magnitude_bits
    return (0.8 if f.lut_inputs == 6 else 1.9) * bits**2 + 4.0 * bits * dtype.signed
