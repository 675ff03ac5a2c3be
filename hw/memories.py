"""How Yosys lays a memory out in the memory cells of a family: its ``memory_libmap``, as a formula.

It tries every cell and every shape of it, counts cells and the logic that joins banks, and takes the cheapest. What is
here gives the same cells; ``hw.fabric`` says which ones a family has.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

MUX, DEMUX = 0.5, 0.5
"""Cost of a bit that is chosen among banks for reading, less one, and of a bank's write enable."""
PORT = 2
"""Cost of a read port that is no write port too."""


class Cell(NamedTuple):
    """A memory cell. ``words``: at its narrowest; each of the further ``widths`` halves them. ``byte``: bits that
    share a write enable, 0 where all do. ``cost``, of which ``by_width`` counts only for the bits that are used;
    ``size``: what it takes, in LUTs or blocks. ``reads``: ports that only read, beside one that writes and, if
    ``shared``, may read what it writes. ``widest_write``: whether writing needs its full width, in bytes.
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


class Shape(NamedTuple):
    """What a memory takes: ``cells`` times ``size``, and the banks among which a read chooses."""

    cost: float
    size: int
    banks: int


@cache
def shape(kinds: tuple[Cell, ...], depth: int, bits: int, written: bool, reads: int = 1) -> Shape:
    """The shape Yosys takes. With two ``reads``, the first is at the address that is written."""
    best = min((_best(cell, depth, bits, written, reads) for cell in kinds), key=lambda found: found.cost)
    return best


def _best(cell: Cell, depth: int, bits: int, written: bool, reads: int) -> Shape:
    own = reads - (cell.shared and written and reads > 1)
    copies = -(-own // cell.reads)
    found: Shape | None = None
    for place, width in enumerate(cell.widths):
        if written and cell.widest_write and width < cell.byte:
            continue
        banks = -(-depth // (cell.words >> place))
        byte = min(cell.byte or width, width) if written else 1
        cells = -(-banks * -(-bits // byte) * byte // width)
        cost = (cell.cost - cell.by_width) * cells * copies + cell.by_width * banks * bits / width * copies
        cost += MUX * (banks - 1) * bits * reads + PORT * own
        cost += DEMUX * banks if written and banks > 1 else 0
        # Yosys drops the fraction of the best cost so far
        if found is None or cost < int(found.cost):
            found = Shape(cost, cells * copies * cell.size, banks)
    assert found is not None
    return found


def in_registers(kinds: Iterable[Cell], depth: int, bits: int, reads: int = 1) -> bool:
    """Whether Yosys makes a small memory that is written of registers, rather than of any of these cells."""
    return all(int(depth * bits) <= _best(cell, depth, bits, True, reads).cost for cell in kinds)
