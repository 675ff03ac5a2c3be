"""The cell that Yosys would choose for a memory: costs worked out by hand, and what holds of every choice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.fpga.families.registry import FAMILIES
from hw.fpga.memory import MemoryPrimitive, MemoryShape, in_registers, shape

SMALL = MemoryPrimitive(words=16, widths=(4,), byte=0, cost=4, by_width=0, size=6)
BLOCK = MemoryPrimitive(words=64, widths=(1, 2, 4), byte=0, cost=10, by_width=0, size=1)
BLOCKS = [family.block for family in FAMILIES.values()]


def test_a_memory_of_two_banks_costs_its_cells_a_multiplexer_and_write_enables() -> None:
    """32 words of 5 bits: 2 x 2 cells of 4, 5 bits of multiplexer at 0.5, a read port of 2, 2 write enables at 0.5."""
    assert shape((SMALL,), 32, 5, written=True) == MemoryShape(4 * 4 + 5 * 0.5 + 2 + 2 * 0.5, 4 * 6, 2)


def test_constants_need_no_write_enables() -> None:
    written, constant = (shape((SMALL,), 32, 4, written) for written in (True, False))
    assert written.cost - constant.cost == 2 * 0.5
    assert (written.size, written.banks) == (constant.size, constant.banks)


def test_constants_of_several_banks_share_cells() -> None:
    """3 banks of 5 bits of constants are 15 bits, 4 cells; words that are written do not share, 3 x 2 cells."""
    assert shape((SMALL,), 48, 5, written=False).size == 4 * 6
    assert shape((SMALL,), 48, 5, written=True).size == 6 * 6


@pytest.mark.parametrize(("depth", "bits", "width"), [(64, 1, 1), (20, 2, 2), (33, 2, 1), (16, 4, 4), (9, 8, 4)])
def test_the_width_is_the_cheapest(depth: int, bits: int, width: int) -> None:
    """A wide word where it takes fewer cells, and a narrow one where wide cells are too shallow."""
    found = shape((BLOCK,), depth, bits, written=True)
    assert (
        found.size
        == -(-bits // width) * -(-depth // (64 // width))
        == min(-(-bits // own) * -(-depth // (64 // own)) for own in (1, 2, 4))
    )


def test_each_read_port_has_a_copy_of_the_memory() -> None:
    assert shape((SMALL,), 16, 4, written=True, reads=3) == MemoryShape(3 * 4 + 3 * 2, 3 * 6, 1)


def test_a_write_port_that_can_read_saves_a_copy() -> None:
    """Of two reads the first is at the address that is written."""
    shared = SMALL._replace(shared=True)
    assert shape((shared,), 16, 4, written=True, reads=2) == MemoryShape(4 + 2, 6, 1)
    assert shape((SMALL,), 16, 4, written=True, reads=2) == MemoryShape(2 * 4 + 2 * 2, 2 * 6, 1)


def test_writes_of_the_widest_width_enable_whole_bytes() -> None:
    """A word of 2 bits that is written takes a byte of 4, so two of them fill a cell of 8; a constant takes 2 bits."""
    cell = MemoryPrimitive(words=64, widths=(1, 2, 4, 8), byte=4, cost=10, by_width=0, size=1, widest_write=True)
    assert shape((cell,), 8, 5, written=True).size == 1
    assert shape((cell,), 8, 9, written=True).size == 2
    # a width below the byte cannot be written: 64 words of a bit are four banks of 4 bits
    assert (shape((cell,), 64, 1, written=False).banks, shape((cell,), 64, 1, written=True).banks) == (1, 4)


def test_a_cell_that_scales_costs_by_the_bits_that_are_used() -> None:
    """Of a cost of 8 in a cell of 4 bits, 6 scale with the width: a memory of a bit costs 2 + 6 / 4, and 2 to read."""
    scaled = SMALL._replace(cost=8, by_width=6)
    assert shape((scaled,), 16, 1, written=True).cost == 2 + 6 / 4 + 2
    assert shape((scaled,), 16, 4, written=True).cost == 8 + 2


def test_the_smallest_memories_are_registers() -> None:
    """A cell and its read port cost 6: as many bits are no dearer in registers."""
    assert in_registers((SMALL,), 6, 1)
    assert not in_registers((SMALL,), 7, 1)
    # not where any of several cells is cheaper
    assert not in_registers((SMALL, SMALL._replace(cost=1)), 6, 1)


@settings(max_examples=30)
@given(st.sampled_from(BLOCKS), st.integers(1, 5000), st.integers(1, 80), st.booleans())
def test_every_choice_holds_the_memory(
    kinds: tuple[MemoryPrimitive, ...], depth: int, bits: int, written: bool
) -> None:
    found = shape(kinds, depth, bits, written)
    unit = max(
        (cell.words >> place) * width for cell in kinds if cell.size == 1 for place, width in enumerate(cell.widths)
    )
    assert found.size * unit >= depth * bits
    assert found.banks >= 1
    # of all cells alone, none is cheaper
    assert found.cost == min(shape((cell,), depth, bits, written).cost for cell in kinds)
