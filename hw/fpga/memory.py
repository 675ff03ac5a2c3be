"""How Yosys builds a memory from the memory cells of a family: its pass ``memory_libmap``, as a formula.

Yosys tries every cell in each of its widths, adds up the cost of the cells and of the logic that combines banks, and
takes the cheapest. The formulas here choose the same cells; ``hw.fpga.families`` says which cells a family has.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

MUX, DEMUX = 0.5, 0.5
"""Cost of a bit of a read port's multiplexer for each bank after the first, and of each bank's write enable."""
PORT = 2
"""Cost of a read port that is not the write port too."""


class MemoryPrimitive(NamedTuple):
    """A memory cell, with one write port.

    Parameters
        words           words at the narrowest width; each further width halves them
        widths          bits of a word, narrowest first
        byte            bits that share a write enable; 0 where all bits of a word do
        cost            cost of a cell, in the units of Yosys
        by_width        the part of ``cost`` that counts in proportion to the bits that are used
        size            what a cell takes, in LUTs or in block memories
        reads           ports that only read
        shared          whether the write port can also read, at its own address
        widest_write    whether writes have the widest width, so that narrower words need a write enable per ``byte``
    """

    words: int
    widths: tuple[int, ...]
    byte: int
    cost: int
    by_width: int
    size: int
    reads: int = 1
    shared: bool = False
    widest_write: bool = False


class MemoryShape(NamedTuple):
    """What a memory takes.

    Parameters
        cost       its cost, in the units of Yosys
        size       LUTs or block memories, as ``MemoryPrimitive.size`` counts them
        banks      banks from which a read chooses a word
    """

    cost: float
    size: int
    banks: int


@cache
def shape(kinds: tuple[MemoryPrimitive, ...], depth: int, bits: int, written: bool, reads: int = 1) -> MemoryShape:
    """The shape that Yosys chooses for a memory: the cheapest.

    Parameters
        kinds      cells of the family
        depth      words
        bits       bits of a word
        written    whether it is written, not only read
        reads      read ports; of two, the first is at the address that is written
    """
    best = min((_best(cell, depth, bits, written, reads) for cell in kinds), key=lambda candidate: candidate.cost)
    return best


def _best(cell: MemoryPrimitive, depth: int, bits: int, written: bool, reads: int) -> MemoryShape:
    read_ports = reads - (cell.shared and written and reads > 1)
    copies = -(-read_ports // cell.reads)
    best: MemoryShape | None = None
    for place, width in enumerate(cell.widths):
        if written and cell.widest_write and width < cell.byte:
            continue
        banks = -(-depth // (cell.words >> place))
        byte = min(cell.byte or width, width) if written else 1
        cells = -(-banks * -(-bits // byte) * byte // width)
        cost = (cell.cost - cell.by_width) * cells * copies + cell.by_width * banks * bits / width * copies
        cost += MUX * (banks - 1) * bits * reads + PORT * read_ports
        cost += DEMUX * banks if written and banks > 1 else 0
        # Yosys rounds the best cost so far down to an integer
        if best is None or cost < int(best.cost):
            best = MemoryShape(cost, cells * copies * cell.size, banks)
    assert best is not None
    return best


def in_registers(kinds: Iterable[MemoryPrimitive], depth: int, bits: int, reads: int = 1) -> bool:
    """Whether Yosys makes a written memory of registers because each of these cells would cost more.

    Parameters
        kinds      cells of the family
        depth      words
        bits       bits of a word
        reads      read ports; of two, the first is at the address that is written
    """
    return all(int(depth * bits) <= _best(cell, depth, bits, True, reads).cost for cell in kinds)
