"""The ECP5's cells and memories against the files by which Yosys makes them, and its devices against the data sheet."""

from __future__ import annotations

from hw.fpga.families.ecp5 import ECP5
from tests.hw.fpga.families.yosys_files import geometries, geometry, memory_cell, modules, number

BLOCKS = "lattice/brams_16kd.txt"


def test_every_cell_is_one_that_yosys_declares() -> None:
    declared = modules("lattice/common_sim.vh", "lattice/ccu2c_sim.vh", "ecp5/cells_sim.v", "ecp5/cells_bb.v")
    assert set(ECP5.cells) <= declared


def test_block_memories_are_those_that_yosys_chooses_from() -> None:
    descriptions = [memory_cell(BLOCKS, name) for name in ("$__DP16KD_", "$__PDPW16KD_")]
    assert [[geometry(cell)] for cell in ECP5.block] == [geometries(own) for own in descriptions]
    assert [(cell.cost, cell.byte) for cell in ECP5.block] == [
        (number(own, "cost"), number(own, "byte")) for own in descriptions
    ]
    # only the second one has a write port of its widest width alone
    assert [cell.widest_write for cell in ECP5.block] == ["width 36;" in own for own in descriptions] == [False, True]


def test_lut_memory_is_the_one_of_yosys_in_three_slices() -> None:
    description = memory_cell("lattice/lutrams_trellis.txt", "$__TRELLIS_DPR16X4_")
    (cell,) = ECP5.ram
    assert [geometry(cell)] == geometries(description)
    assert (cell.cost, cell.by_width) == (number(description, "cost"), 0)
    assert "widthscale" not in description
    assert cell.size == ECP5.cells["TRELLIS_DPR16X4"].lut == 3 * 2


def test_devices_hold_what_the_data_sheet_says() -> None:
    """Lattice FPGA-DS-02012, table 1.1."""
    amounts = {own.name: (own.lut, own.bram * own.bram_bits // 1024, own.dsp) for own in ECP5.devices}
    # in thousands of LUTs 24 and 84, Kb of embedded memory, multipliers of 18 x 18 bits
    assert {name: (lut // 1000, memory, dsp) for name, (lut, memory, dsp) in amounts.items()} == {
        "ecp5-25k": (24, 1008, 28),
        "ecp5-85k": (83, 3744, 156),
    }
