"""What Yosys makes of logic, memories and products on each family of FPGAs: the formulas under ``hw.resources``.

LUTs are those of the family, with 6 or 4 inputs. The rules of DSP blocks and block memories are exact. The LUTs of
control logic are proportional to a few counts, its *terms*, with factors in ``hw.lut_factors`` that
``benchmarks.resources`` fits to what Yosys makes of whole ops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from hw.codes import decoded_by_table
from hw.device import Device, DeviceError, Resources
from hw.lut_factors import LUT4, LUT6
from hw.memories import Cell, Shape, in_registers, shape
from models.ir.dtype import DType, DyBitType
from models.ir.names import did_you_mean


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
    last, where it takes several; ``dsp_result``: bits of the narrowest product that becomes a DSP block. ``choice``:
    LUTs of a bit for each further word that it is chosen from. ``ram``: memory cells made of LUTs, sized in LUTs; none
    where LUTs are no memory. ``block``: those of block memory, sized in the blocks that ``hw.device`` counts;
    ``read_first``: whether it does, without help, what our memories do when a word is read while it is written.
    ``factors``: LUTs per term, by kind.
    """

    lut_inputs: int
    dsp: tuple[int, int]
    dsp_slice: int
    dsp_result: int
    choice: float
    ram: tuple[Cell, ...]
    block: tuple[Cell, ...]
    read_first: bool
    factors: dict[str, tuple[float, ...]]


_NINES = (1, 2, 4, 9, 18)
_RAM_ULTRASCALE = (
    Cell(32, (14,), 0, 16, 16, 8), Cell(64, (7,), 0, 16, 16, 8),
    *(Cell(words, (256 // words,), 0, 16, 16, 8, shared=True) for words in (32, 64, 128, 256)),
)  # fmt: skip
_RAM_7 = (
    Cell(32, (6,), 0, 8, 7, 4), Cell(64, (3,), 0, 8, 7, 4),
    *(Cell(words, (128 // words,), 0, 8, 8, 4, shared=True) for words in (32, 64, 128)),
)  # fmt: skip
_BLOCK_XILINX = (
    Cell(16384, _NINES, 9, 129, 0, 1), Cell(32768, (*_NINES, 36), 9, 257, 0, 2),
    Cell(16384, (*_NINES, 36), 9, 129, 0, 1), Cell(32768, (*_NINES, 36, 72), 9, 257, 0, 2),
)  # fmt: skip
_BLOCK_ECP5 = (Cell(16384, _NINES, 9, 128, 0, 1), Cell(16384, (*_NINES, 36), 9, 128, 0, 1, widest_write=True))
_BLOCK_ICE40 = (Cell(2048, (2, 4, 8), 0, 64, 0, 1), Cell(2048, (2, 4, 8, 16), 1, 64, 0, 1))

FEW = 16
"""Words of which a bit is a number of 16 bits, whose values are counted without sorting them."""

FAMILIES = {
    "xcup": Family(6, (27, 18), 17, 9, 1 / 3, _RAM_ULTRASCALE, _BLOCK_XILINX, True, LUT6),
    "xc7": Family(6, (25, 18), 17, 9, 1 / 3, _RAM_7, _BLOCK_XILINX, True, LUT6),
    "ecp5": Family(4, (18, 18), 18, 0, 1.15, (Cell(16, (4,), 0, 4, 0, 6),), _BLOCK_ECP5, False, LUT4),
    "ice40": Family(4, (16, 16), 16, 11, 0.8, (), _BLOCK_ICE40, False, LUT4),
}


def family(device: Device) -> Family:
    if device.family not in FAMILIES:
        raise DeviceError(
            f"device {device.name!r}, field 'family': no resource figures for {device.family!r}; "
            f"{did_you_mean(device.family, FAMILIES)}"
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
    return max(1.0, f.choice * (ways - 1)) if ways > 1 else 0.0


def dsp_blocks(f: Family, a: int, b: int) -> int:
    """DSP blocks of a product of signed numbers of ``a`` and ``b`` bits; 0 when Yosys makes it of LUTs."""
    return sum(min(piece) > 1 for piece in _pieces(f, max(a, b), min(a, b))) if a + b >= f.dsp_result else 0


def joined_bits(f: Family, a: int, b: int, *, fixed: bool = False) -> int:
    """Bits of the adders that join what DSP blocks give to the whole of such a product: one adder a block after the
    first, and three where an operand has one bit left, which LUTs multiply by, negate and add; ``fixed``: unless the
    other operand hardly changes.
    """
    if a + b < f.dsp_result:
        return 0
    adders = sum(1 if fixed or min(piece) > 1 else 3 for piece in _pieces(f, max(a, b), min(a, b))[1:])
    return adders * (a + b - f.dsp_slice)


def _pieces(f: Family, a: int, b: int) -> list[tuple[int, int]]:
    """The operands of the products of which Yosys makes one that is too large for a block."""
    if a > f.dsp[0]:
        slices = -(-(a - f.dsp[0]) // f.dsp_slice)
        return slices * _pieces(f, f.dsp_slice, b) + _pieces(f, a - slices * f.dsp_slice, b)
    if b > f.dsp[1]:
        slices = -(-(b - f.dsp[1]) // f.dsp_slice)
        return slices * _pieces(f, a, f.dsp_slice) + _pieces(f, a, b - slices * f.dsp_slice)
    return [(a, b)]


def small_product(f: Family, a: int, b: int) -> float:
    """LUTs of a product that Yosys does not give a DSP block."""
    a, b = max(a, b), min(a, b)
    return 0.4 * a * b**2 if f.lut_inputs == 6 else 2.4 * a * b


@cache
def constant_block(f: Family, depth: int, bits: int) -> Part:
    """A block memory that is only read, in a part's ``lut``, ``ff`` and ``bram``."""
    return _banked(f, shape(f.block, depth, bits, False), bits)


@cache
def written_block(f: Family, depth: int, bits: int) -> Part:
    """The same of one that is written."""
    found = shape(f.block, depth, bits, True)
    part = _banked(f, found, bits)
    part = part._replace(lut=part.lut + (found.banks if found.banks > 1 else 0))
    if f.read_first:
        return part
    # Yosys keeps the last word written, for a read of the same place
    return part._replace(lut=part.lut + bits + 1.5 * index(depth), ff=part.ff + 2 * bits + index(depth))


def _banked(f: Family, found: Shape, bits: int) -> Part:
    """A register keeps which bank is read."""
    return Part("", lut=bits * select(f, found.banks), ff=index(found.banks), bram=found.size)


@cache
def lut_memory(f: Family, depth: int, bits: int, reads: int = 1, *, forced: bool = False) -> tuple[float, float]:
    """(LUTs, registers) of a memory that is written, with ``reads`` ports that read without a clock.

    The smallest are made of registers, unless ``forced`` into LUTs.
    """
    if not f.ram or (not forced and in_registers(f.ram, depth, bits, reads)):
        return (bits * reads * select(f, depth) + (depth if depth > 1 else 0), bits * depth)
    found = shape(f.ram, depth, bits, True, reads)
    return found.size + bits * reads * select(f, found.banks) + (found.banks if found.banks > 1 else 0), 0.0


def table(f: Family, depth: int, columns: int, counted: bool = False) -> float:
    """LUTs of ``columns`` bits of constants by address: random ones. ``counted``: the address is a counter, with whose
    carries ABC9 mixes wide LUTs up.
    """
    if depth <= 4:
        return 0.4 * columns
    if f.lut_inputs == 6:
        return columns * max(1, (1 << index(depth)) >> 6, (depth - 8) / 13 if counted else 0)
    return columns * (1.0 if depth <= 16 else 0.128 * depth)


def distinct(words: np.ndarray, bits: int) -> int:
    """Bits of ``words`` ``[depth, lanes]``, of ``bits`` bits each, that are neither constant nor the same as others."""
    if len(words) > FEW:
        columns = ((words[:, :, None] >> np.arange(bits)) & 1).reshape(len(words), -1)
        columns = columns[:, (columns != columns[:1]).any(axis=0)]
        return len({column.tobytes() for column in np.packbits(columns.T.astype(bool), axis=1)})
    seen = np.zeros(1 << len(words), dtype=bool)
    for bit in range(bits):
        column = np.zeros(words.shape[1], dtype=np.uint16)
        for row, word in enumerate(words):
            column |= ((word >> bit) & 1).astype(np.uint16) << row
        seen[column] = True
    return int(np.count_nonzero(seen[1:-1]))


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
    if decoded_by_table(dtype):
        return dtype.decoded_width * (1.0 if dtype.width <= f.lut_inputs else 2.4)
    if f.lut_inputs == 6:
        return 4.4 * bits - 2 if dtype.signed else 0.2 * bits**2 + 0.9 * bits
    return 0.5 * bits**2 + 3.75 * bits * dtype.signed


_MANTISSA = {6: (0, 3, 4, 6, 7, 8, 11, 18), 4: (0, 3, 4, 6, 10, 14, 20, 31)}
"""LUTs that find digits and places, by inputs of a LUT and bits of a magnitude, from 1."""


def mantissa_decoder(f: Family, dtype: DType) -> float:
    """LUTs of the digits of a code and the places to shift them by."""
    return _MANTISSA[f.lut_inputs][dtype.magnitude_bits - 1] if isinstance(dtype, DyBitType) else 0.0


def encoder(f: Family, dtype: DType) -> float:
    """LUTs of the code nearest to a value."""
    if not isinstance(dtype, DyBitType):
        return 0.0
    bits = dtype.magnitude_bits
    if f.lut_inputs == 6:
        return max(3.0, 11.75 * bits - 20) if dtype.signed else max(3.75 * bits, 0.8 * bits**2)
    return max(5.0, 24.5 * bits - 59.5 if dtype.signed else 22.5 * bits - 65)
